/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of the house, with the owners and modes that the users section asks for. */
#pragma once

#include "server/options.h"

#define DIRECTORY_EDGE "edge"         /* in run_dir: the edge's configuration, certificates, keys */
#define DIRECTORY_EDGE_TMP "edge-tmp" /* in run_dir: what the edge itself writes */
#define DIRECTORY_SOCKETS "sockets"   /* in run_dir: the inner listener */
#define DIRECTORY_KEYS "keys"         /* in data_dir: keyd's */
#define DIRECTORY_DATABASE "db"       /* in data_dir: the server's */
#define DATABASE_FILE "muster.db"     /* in there */

/* The database of an earlier version lies in data_dir itself: going on without it would begin anew.
 * ERR_PRECONDITION, with the command that moves it. */
MUST_CHECK bool directories_check(const struct options *options, struct err *err);

struct house_locks { /* held as long as the descriptors are open */
    int supervisor;  /* nobody else's: a second supervisor is told at once */
    int children; /* the server and keyd have it too: waited for until the last of them is gone */
};

/* Looks as directories_check(), makes what is missing, below directories that only the starting
 * user can change, takes the locks and removes stale sockets. ERR_CONFLICT: another one runs here,
 * or what it left behind does not end. */
MUST_CHECK bool directories_make(const struct options *options, struct house_locks *locks,
                                 struct err *err);
