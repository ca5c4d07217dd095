/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads behind a bounded queue.  A place is reserved first, so that adding cannot fail. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct workers_settings {
    unsigned count; /* threads */
    size_t limit;   /* waiting items */
    /* On each thread at its start and end; false ends workers_start with that error. */
    bool (*start)(void *context, void **state, struct err *err);
    void (*stop)(void *context, void *state);
    void (*run)(void *context, void *state, void *item);
    /* Instead of run, for what still waited when the time to stop was over; any thread. */
    void (*drop)(void *context, void *item);
    void *context;
};

struct workers;
/* Returns when every thread's start has worked. The threads do not outlive workers_stop. */
MUST_CHECK bool workers_start(void *owner, const struct workers_settings *settings,
                              struct workers **out, struct err *err);
/* While less than this many quarters of the places are taken. False: they are, or it stops. */
bool workers_reserve(struct workers *workers, unsigned quarters);
void workers_add(struct workers *workers, void *item);
/* Lets the waiting items be run until the deadline (milliseconds, monotonic), drops the others
 * and joins the threads. False when a thread was still busy then: it goes on, and so must the
 * memory that it uses. */
bool workers_stop(struct workers *workers, int64_t deadline);
