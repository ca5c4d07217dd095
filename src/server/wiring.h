/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs together: the route tables of every area, and what a worker thread works with. */
#pragma once

#include "db/db.h"
#include "http/router.h"
#include "pki/keyd.h"
#include "server/options.h"

struct house { /* one per server process */
    const struct options *options;
    struct database *database;
    struct keyd *keyd;
};

struct services { /* one per worker thread: request->services */
    struct db *db;
    struct keyd *keyd;
};

/* The tables of all areas; the list belongs to owner. */
const struct routes *wiring_tables(void *owner, size_t *count);
/* For the listener: context is the struct house. */
MUST_CHECK bool wiring_worker_start(void *context, void **services, struct err *err);
void wiring_worker_stop(void *context, void *services);
