/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of the house, with the owners and modes that the users section asks for. */
#pragma once

#include "server/options.h"

#define DIRECTORY_EDGE "edge"         /* in run_dir: the edge's configuration, certificates, keys */
#define DIRECTORY_EDGE_TMP "edge-tmp" /* in run_dir: what the edge itself writes */
#define DIRECTORY_SOCKETS "sockets"   /* in run_dir: the inner listener */
#define DIRECTORY_KEYS "keys"         /* in data_dir: keyd's */

/* Makes what is missing, removes stale sockets, and takes the lock that keeps a second supervisor
 * away: *lock stays open as long as the process. */
MUST_CHECK bool directories_make(const struct options *options, int *lock, struct err *err);
