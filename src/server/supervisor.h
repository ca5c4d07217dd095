/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: starts keyd, the server and the edge, starts each again when it ends, and stops
 * them in order.  One thread, no network, no database, no keys.
 */
#pragma once

#include "server/options.h"

/* Runs until SIGTERM or SIGINT. The exit status of the program. */
int supervisor_run(const struct options *options);
