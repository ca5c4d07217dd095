/* SPDX-License-Identifier: Apache-2.0 */
/* Background work: rows with a lease, kept by kind and subject; what is done leaves no row. */
#pragma once

#include "fleet/fleet.h"

struct job {
    char *kind, *subject;
    int64_t due_at, tries;
    int64_t rounds; /* how often it did its part since it was scheduled, and came again */
};
#define JOB_LEASE_SECONDS 60
/* The next due job of this kind, leased to the caller; out->kind NULL = none. */
MUST_CHECK bool fleet_job_claim(struct fleet *fleet, void *owner, const char *kind, int64_t now,
                                struct job *out, struct err *err);
/* Done: gone, unless it was scheduled again meanwhile. */
MUST_CHECK bool fleet_job_done(struct fleet *fleet, const struct job *job, struct err *err);
/* Try again at due_at. */
MUST_CHECK bool fleet_job_retry(struct fleet *fleet, const struct job *job, int64_t due_at,
                                const char *reason, struct err *err);
MUST_CHECK bool fleet_job_schedule(struct fleet *fleet, const char *kind, const char *subject,
                                   int64_t due_at, struct err *err);
/* Not before due_at, unless it is due by now already: what was asked for meanwhile goes first. Its
 * rounds go on counting. */
MUST_CHECK bool fleet_job_postpone(struct fleet *fleet, const char *kind, const char *subject,
                                   int64_t due_at, int64_t now, struct err *err);
/* At start, before any thread works: who held a lease is gone. */
MUST_CHECK bool fleet_jobs_release(struct fleet *fleet, struct err *err);
/* Sleep until a commit scheduled something, at most ms milliseconds. *turn (start with 0) is the
 * caller's own: what came since it last looked wakes it at once. */
void fleet_job_wait(struct fleet_shared *shared, unsigned *turn, int ms);
void fleet_job_stop(struct fleet_shared *shared); /* waits return at once from now on */
bool fleet_job_stopped(struct fleet_shared *shared);
