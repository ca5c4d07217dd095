/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs together: the route tables of every area, and what a worker thread works with. */
#pragma once

#include "db/claim.h"
#include "fleet/fleet.h"
#include "http/router.h"
#include "jobs/runner.h"
#include "pki/keyd.h"
#include "server/options.h"

struct house { /* one per server process */
    const struct options *options;
    struct database *database;
    struct claim *claim; /* that this is the only server of the database */
    struct keyd *keyd;
    struct fleet_settings settings;
    struct fleet_shared *shared;
    struct channel_settings channels;
    struct jobs_settings jobs_settings;
    struct jobs *jobs;
};

/* The tables of all areas; the list belongs to owner. */
const struct routes *wiring_tables(void *owner, size_t *count);
/* The use cases for this process; database and keyd are there. Makes what a first start needs. */
MUST_CHECK bool wiring_open(void *owner, struct house *house, struct err *err);
/* Background work; after wiring_open. */
MUST_CHECK bool wiring_jobs_start(void *owner, struct house *house, struct err *err);
void wiring_jobs_stop(struct house *house);
/* For the listener: context is the struct house, services a struct fleet. */
MUST_CHECK bool wiring_worker_start(void *context, void **services, struct err *err);
void wiring_worker_stop(void *context, void *services);
void wiring_refused(void *context, enum http_urgency urgency);
