/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/runner.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define FAILED_FIRST_SECONDS 1 /* the job itself: database or key process away */
#define FAILED_MOST_SECONDS 60
#define RETRY_FIRST_SECONDS 5 /* one row of its kind */
#define RETRY_MOST_SECONDS (60 * 60)

struct job_thread {
    const struct job_row *row;
    const struct jobs_settings *options;
    pthread_t thread;
    bool is_running;
};

struct jobs {
    struct jobs_settings options;
    struct job_thread *threads;
    size_t count;
};

/* Sleep for the whole time, however often there is work for others. */
static void rest(struct fleet_shared *shared, unsigned *turn, int64_t ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    for (int64_t left = ms; left > 0 && !fleet_job_stopped(shared);
         left = until - clock_monotonic_ms())
        fleet_job_wait(shared, turn, (int)left);
}

static bool retry(struct fleet *fleet, const struct job *job, int64_t now, int64_t again_at,
                  const struct err *why, struct err *err)
{
    int64_t due_at = now + backoff_seconds(job->tries, RETRY_FIRST_SECONDS, RETRY_MOST_SECONDS);
    if (why->kind == ERR_INTERNAL)
        log_err("job.retry", why, "job", job->kind, "subject", job->subject, NULL);
    return fleet_job_retry(fleet, job, due_at > again_at ? due_at : again_at, why->text, err);
}

/* The next due row of the job's kind, if there is one. */
static bool queue_run(const struct job_row *row, struct job_context *context, int64_t now,
                      bool *busy, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct fleet *fleet = context->fleet;
    struct job job = {0};
    struct err why;
    int64_t again_at = 0;
    if (!fleet_job_claim(fleet, owner, row->name, now, &job, err))
        return false;
    if (!job.kind)
        return true;
    *busy = true;
    if (!row->handle(context, &job, now, &again_at, &why))
        return retry(fleet, &job, now, again_at, &why, err);
    return again_at ? fleet_job_retry(fleet, &job, again_at, NULL, err)
                    : fleet_job_done(fleet, &job, err);
}

static bool run(const struct job_row *row, struct job_context *context, bool *busy, struct err *err)
{
    int64_t now = clock_now();
    *busy = false;
    return row->run ? row->run(context, now, busy, err) : queue_run(row, context, now, busy, err);
}

static void work(const struct job_thread *thread, struct job_context *context)
{
    struct fleet_shared *shared = thread->options->shared;
    unsigned turn = 0;
    int64_t failures = 0;
    while (!fleet_job_stopped(shared)) {
        struct err err;
        bool busy;
        if (!run(thread->row, context, &busy, &err)) {
            log_err("job.failed", &err, "job", thread->row->name, NULL);
            rest(shared, &turn,
                 1000 * backoff_seconds(failures++, FAILED_FIRST_SECONDS, FAILED_MOST_SECONDS));
            continue;
        }
        failures = 0;
        if (busy)
            continue;
        if (thread->row->is_periodic)
            rest(shared, &turn, thread->row->idle_ms);
        else
            fleet_job_wait(shared, &turn, thread->row->idle_ms);
    }
}

static void last_run(const struct job_thread *thread, struct job_context *context)
{
    struct err err;
    bool busy;
    if (thread->row->runs_at_end && !run(thread->row, context, &busy, &err))
        log_err("job.failed", &err, "job", thread->row->name, NULL);
}

static bool context_open(void *owner, const struct job_thread *thread, struct job_context *context,
                         struct err *err)
{
    const struct jobs_settings *options = thread->options;
    return fleet_open(owner, options->database, options->keyd, options->shared, &context->fleet,
                      err) &&
           (!thread->row->open || thread->row->open(owner, options, &context->state, err));
}

static void *thread_main(void *argument)
{
    const struct job_thread *thread = argument;
    struct fleet_shared *shared = thread->options->shared;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct job_context context = {.options = thread->options};
    unsigned turn = 0;
    int64_t failures = 0;
    struct err err;
    while (!context_open(owner, thread, &context, &err)) {
        log_err("job.open", &err, "job", thread->row->name, NULL);
        rest(shared, &turn,
             1000 * backoff_seconds(failures++, FAILED_FIRST_SECONDS, FAILED_MOST_SECONDS));
        if (fleet_job_stopped(shared))
            return NULL;
    }
    work(thread, &context);
    last_run(thread, &context);
    return NULL;
}

static size_t thread_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < job_row_count; i++)
        count += job_rows[i].threads;
    return count;
}

void jobs_stop(struct jobs *jobs)
{
    fleet_job_stop(jobs->options.shared);
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->threads[i].is_running && pthread_join(jobs->threads[i].thread, NULL) == 0)
            jobs->threads[i].is_running = false;
}

bool jobs_start(void *owner, const struct jobs_settings *options, struct jobs **out,
                struct err *err)
{
    CLEANUP(mem_free_at) struct jobs *jobs = mem_new(NULL, struct jobs);
    jobs->options = *options;
    jobs->threads = mem_array(jobs, struct job_thread, thread_count());
    for (size_t i = 0; i < job_row_count; i++)
        for (unsigned copy = 0; copy < job_rows[i].threads; copy++) {
            struct job_thread *thread = &jobs->threads[jobs->count++];
            *thread = (struct job_thread){.row = &job_rows[i], .options = &jobs->options};
            thread->is_running = pthread_create(&thread->thread, NULL, thread_main, thread) == 0;
            if (!thread->is_running) {
                jobs_stop(jobs);
                return err_set(err, ERR_INTERNAL, "no thread for job %s", job_rows[i].name);
            }
        }
    *out = mem_give(owner, &jobs);
    return true;
}
