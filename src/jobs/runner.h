/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background work: a table of jobs, a thread (or several) each, which do their work whenever there
 * is some and sleep otherwise.  A thread has its own fleet; what it cannot do now is tried again
 * later, with growing pauses.
 */
#pragma once

#include "base/backoff.h"
#include "channel/channel.h"
#include "fleet/job.h"

struct jobs_settings { /* all of it outlives the jobs */
    struct database *database;
    struct keyd *keyd;
    struct fleet_shared *shared;
    const struct channel_settings *channels;
};

struct jobs;
MUST_CHECK bool jobs_start(void *owner, const struct jobs_settings *options, struct jobs **out,
                           struct err *err);
/* Waits for what is under way. fleet_job_stop is called for the whole process. */
void jobs_stop(struct jobs *jobs);

/* ---- for the jobs themselves ---- */

struct job_context { /* of one thread */
    struct fleet *fleet;
    const struct jobs_settings *options;
    void *state; /* what the job's open made */
};
/* One portion of work. *busy: there may be more at once. */
typedef bool job_run(struct job_context *context, int64_t now, bool *busy, struct err *err);
/* One leased row of kind `kind`. True: it is gone, or comes again at *again_at when that is set.
 * False: it is tried again, not before *again_at. */
typedef bool job_handle(struct job_context *context, const struct job *job, int64_t now,
                        int64_t *again_at, struct err *err);

struct job_row {
    const char *name;
    /* Once per thread, before the first run; may be NULL. */
    bool (*open)(void *owner, const struct jobs_settings *options, void **state, struct err *err);
    job_run *run;       /* or: */
    job_handle *handle; /* rows of kind `name` */
    int idle_ms;        /* sleep at most this long when there was nothing */
    bool is_periodic;   /* once per idle_ms, whatever is scheduled meanwhile */
    bool runs_at_end;   /* once more when the process stops */
    unsigned threads;
};
extern const struct job_row job_rows[];
extern const size_t job_row_count;

/* jobs/plan.c, resolve.c, wake.c, upkeep.c */
job_handle job_plan, job_resolve, job_revocation_list, job_inventory;
job_run job_contacts, job_number, job_audit_sign, job_evaluate, job_expire, job_prune, job_renew,
    job_wake, job_sweep, job_push_warn;
/* jobs/service.c */
job_handle job_service, job_setup;
job_run job_service_warn;
bool job_service_open(void *owner, const struct jobs_settings *options, void **state,
                      struct err *err);
bool job_wake_open(void *owner, const struct jobs_settings *options, void **state, struct err *err);
bool job_sweep_open(void *owner, const struct jobs_settings *options, void **state,
                    struct err *err);
