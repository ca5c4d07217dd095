/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/job.h"

#include <time.h>

#include "fleet/door.h"
#include "fleet/shared.h"
#include "store/store.h"

static const struct field job_rows[] = {
    TEXT_FIELD(struct job, kind, FIELD_READ_ONLY),
    TEXT_FIELD(struct job, subject, FIELD_READ_ONLY),
    TIME_FIELD(struct job, due_at, FIELD_READ_ONLY),
    INTEGER_FIELD(struct job, tries, FIELD_READ_ONLY),
    INTEGER_FIELD(struct job, rounds, FIELD_READ_ONLY),
};

struct claim {
    void *owner;
    const char *kind;
    int64_t now;
    struct job *out;
};

static bool claim_run(struct db *tx, void *context, struct err *err)
{
    struct claim *claim = context;
    bool found = false;
    claim->out->kind = NULL;
    return store_find(tx, claim->owner,
                      ASK(JOB_CLAIM, TEXT(claim->kind), INTEGER(claim->now),
                          INTEGER(claim->now + JOB_LEASE_SECONDS)),
                      FIELDS(job_rows), claim->out, &found, err);
}

bool fleet_job_claim(struct fleet *fleet, void *owner, const char *kind, int64_t now,
                     struct job *out, struct err *err)
{
    int64_t due_at = 0;
    out->kind = NULL;
    /* looking is a read; only a due job costs the writer */
    if (!store_number(fleet->db, ASK(JOB_NEXT_DUE, TEXT(kind), INTEGER(now)), "due_at", &due_at,
                      err))
        return false;
    if (due_at == 0 || due_at > now)
        return true;
    struct claim claim = {owner, kind, now, out};
    return db_transaction(fleet->db, claim_run, &claim, err);
}

struct ending {
    const struct job *job;
    int64_t due_at;
    const char *reason;
};

static bool done_run(struct db *tx, void *context, struct err *err)
{
    const struct job *job = ((const struct ending *)context)->job;
    return store_change(
        tx, ASK(JOB_DONE, TEXT(job->kind), TEXT(job->subject), INTEGER(job->due_at)), NULL, err);
}

bool fleet_job_done(struct fleet *fleet, const struct job *job, struct err *err)
{
    struct ending ending = {.job = job};
    return db_transaction(fleet->db, done_run, &ending, err);
}

static bool retry_run(struct db *tx, void *context, struct err *err)
{
    const struct ending *ending = context;
    return store_change(tx,
                        ASK(JOB_RETRY, TEXT(ending->job->kind), TEXT(ending->job->subject),
                            INTEGER(ending->due_at), TEXT(ending->reason)),
                        NULL, err);
}

bool fleet_job_retry(struct fleet *fleet, const struct job *job, int64_t due_at, const char *reason,
                     struct err *err)
{
    struct ending ending = {job, due_at, reason};
    return db_transaction(fleet->db, retry_run, &ending, err);
}

static bool schedule_run(struct db *tx, void *context, struct err *err)
{
    const struct job *job = context;
    return job_add(tx, job->kind, job->subject, job->due_at, err);
}

bool fleet_job_schedule(struct fleet *fleet, const char *kind, const char *subject, int64_t due_at,
                        struct err *err)
{
    CLEANUP(mem_free_at) struct job *job = mem_new(NULL, struct job);
    *job = (struct job){
        .kind = mem_text(job, kind), .subject = mem_text(job, subject), .due_at = due_at};
    if (!db_transaction(fleet->db, schedule_run, job, err))
        return false;
    shared_wake(fleet->shared);
    return true;
}

struct postponing {
    const char *kind, *subject;
    int64_t due_at, now;
};

static bool postpone_run(struct db *tx, void *context, struct err *err)
{
    const struct postponing *p = context;
    return store_change(
        tx, ASK(JOB_POSTPONE, TEXT(p->kind), TEXT(p->subject), INTEGER(p->due_at), INTEGER(p->now)),
        NULL, err);
}

bool fleet_job_postpone(struct fleet *fleet, const char *kind, const char *subject, int64_t due_at,
                        int64_t now, struct err *err)
{
    struct postponing postponing = {kind, subject, due_at, now};
    return db_transaction(fleet->db, postpone_run, &postponing, err);
}

static bool release_run(struct db *tx, void *context, struct err *err)
{
    (void)context;
    return store_change(tx, ASK_ALL(JOB_RELEASE_ALL), NULL, err);
}

bool fleet_jobs_release(struct fleet *fleet, struct err *err)
{
    int64_t count = 0;
    return store_number(fleet->db, ASK_ALL(JOB_LEASED), "count", &count, err) &&
           (count == 0 || db_transaction(fleet->db, release_run, NULL, err));
}

void fleet_job_wait(struct fleet_shared *shared, unsigned *turn, int ms)
{
    struct timespec until;
    if (clock_gettime(CLOCK_MONOTONIC, &until) != 0)
        bug("no monotonic clock");
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&shared->job_lock);
    while (*turn == shared->job_turn && !shared->job_stopped)
        if (pthread_cond_timedwait(&shared->job_wake, &shared->job_lock, &until) != 0)
            break;
    *turn = shared->job_turn;
    pthread_mutex_unlock(&shared->job_lock);
}

void fleet_job_stop(struct fleet_shared *shared)
{
    pthread_mutex_lock(&shared->job_lock);
    shared->job_stopped = true;
    pthread_cond_broadcast(&shared->job_wake);
    pthread_mutex_unlock(&shared->job_lock);
}

bool fleet_job_stopped(struct fleet_shared *shared)
{
    pthread_mutex_lock(&shared->job_lock);
    bool stopped = shared->job_stopped;
    pthread_mutex_unlock(&shared->job_lock);
    return stopped;
}
