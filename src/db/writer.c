/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's writer thread.  It takes all transactions that wait, runs each inside a savepoint and
 * makes them durable with one commit: the disk is asked once for many requests.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include "base/mem.h"
#include "db/sqlite.h"

struct job { /* lives on the waiting thread's stack */
    db_body *body;
    void *context;
    struct err *err;
    bool worked;
    sem_t done;
    struct job *next;
};

struct writer {
    struct database *database;
    struct db *db; /* used by the thread alone */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t more;
    struct job *first, **last;
    bool is_closing;
};

static bool body_run(struct db *db, struct job *job)
{
    if (!db_body_run(db, job->body, job->context, job->err))
        return false;
    /* Found at COMMIT only, it would take the neighbours with it. */
    if (sqlite_references_open(db))
        return err_set(job->err, ERR_CONFLICT, "FOREIGN KEY constraint failed");
    return sqlite_release(db, job->err);
}

/* False when the whole transaction is gone (disk full, I/O error), not only this job. */
static bool job_run(struct db *db, struct job *job)
{
    if (!sqlite_savepoint(db, job->err))
        return false;
    job->worked = body_run(db, job);
    return job->worked || sqlite_undo(db);
}

static void fail_all(struct job *jobs, const struct err *err)
{
    for (struct job *job = jobs; job; job = job->next) {
        if (job->worked)
            *job->err = *err;
        job->worked = false;
    }
}

static void batch_run(struct writer *writer, struct job *jobs)
{
    struct err err;
    size_t kept = 0;
    for (struct job *job = jobs; job; job = job->next)
        job->worked = true; /* so far: fail_all() gives its error to those that worked */
    if (!writer->database->driver->begin(writer->db, &err)) {
        fail_all(jobs, &err);
        return;
    }
    for (struct job *job = jobs; job; job = job->next) {
        if (!job_run(writer->db, job)) {
            err = *job->err;
            job->worked = false;
            writer->database->driver->rollback(writer->db);
            err.kind = ERR_UNAVAILABLE;
            (void)err_context(&err, "the transaction was lost");
            fail_all(jobs, &err);
            return;
        }
        kept += job->worked;
    }
    if (!writer->database->driver->commit(writer->db, &err)) {
        fail_all(jobs, &err);
        return;
    }
    atomic_fetch_add(&writer->database->commits, 1);
    atomic_fetch_add(&writer->database->transactions, kept);
}

/* The job is on its waiter's stack: gone as soon as that one wakes up. */
static void wake_all(struct job *jobs)
{
    while (jobs) {
        struct job *next = jobs->next;
        if (sem_post(&jobs->done) != 0)
            bug("cannot wake a transaction's thread");
        jobs = next;
    }
}

static struct job *take_all(struct writer *writer)
{
    struct job *jobs = writer->first;
    writer->first = NULL;
    writer->last = &writer->first;
    return jobs;
}

static void refuse_all(struct job *jobs)
{
    for (struct job *job = jobs; job; job = job->next)
        job->worked = err_set(job->err, ERR_UNAVAILABLE, "the database is closing");
    wake_all(jobs);
}

static void *writer_main(void *context)
{
    struct writer *writer = context;
    (void)pthread_mutex_lock(&writer->mutex);
    while (!writer->is_closing) {
        struct job *jobs = take_all(writer);
        if (!jobs) {
            (void)pthread_cond_wait(&writer->more, &writer->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&writer->mutex);
        batch_run(writer, jobs);
        wake_all(jobs);
        (void)pthread_mutex_lock(&writer->mutex);
        bool is_idle = !writer->first;
        (void)pthread_mutex_unlock(&writer->mutex);
        sqlite_checkpoint(writer->db, is_idle);
        (void)pthread_mutex_lock(&writer->mutex);
    }
    struct job *jobs = take_all(writer);
    (void)pthread_mutex_unlock(&writer->mutex);
    refuse_all(jobs);
    return NULL;
}

static int writer_stop(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_closing = true;
    (void)pthread_cond_signal(&writer->more);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);
    (void)pthread_cond_destroy(&writer->more);
    (void)pthread_mutex_destroy(&writer->mutex);
    return 0;
}

/* Signals are for the thread that waits for them. */
static int thread_start(struct writer *writer)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, writer_main, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

bool writer_start(void *owner, struct database *database, struct writer **out, struct err *err)
{
    CLEANUP(mem_free_at) struct writer *writer = mem_new(NULL, struct writer);
    writer->database = database;
    writer->last = &writer->first;
    writer->db = db_open(writer, database, DB_WRITER, err);
    if (!writer->db)
        return false;
    if (pthread_mutex_init(&writer->mutex, NULL) != 0 ||
        pthread_cond_init(&writer->more, NULL) != 0 || thread_start(writer) != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot start the writer thread");
    mem_destructor(writer, writer_stop);
    *out = mem_give(owner, &writer);
    return true;
}

static bool queue(struct writer *writer, struct job *job)
{
    (void)pthread_mutex_lock(&writer->mutex);
    bool is_open = !writer->is_closing;
    if (is_open) {
        *writer->last = job;
        writer->last = &job->next;
        (void)pthread_cond_signal(&writer->more);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return is_open;
}

size_t writer_waiting(struct writer *writer)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&writer->mutex);
    for (const struct job *job = writer->first; job; job = job->next)
        count++;
    (void)pthread_mutex_unlock(&writer->mutex);
    return count;
}

bool writer_run(struct writer *writer, struct db *db, db_body *body, void *context, struct err *err)
{
    struct job job = {.body = body, .context = context, .err = err};
    if (pthread_equal(pthread_self(), writer->thread))
        bug("a transaction inside a transaction");
    if (sem_init(&job.done, 0, 0) != 0)
        bug("no semaphore");
    db->is_waiting = true;
    bool is_queued = queue(writer, &job);
    while (is_queued && sem_wait(&job.done) != 0)
        if (errno != EINTR)
            bug("cannot wait for the writer thread");
    db->is_waiting = false;
    (void)sem_destroy(&job.done);
    return is_queued ? job.worked : err_set(err, ERR_UNAVAILABLE, "the database is closing");
}
