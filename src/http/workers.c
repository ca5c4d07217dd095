/* SPDX-License-Identifier: Apache-2.0 */
#include "http/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

struct workers {
    struct workers_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t work;   /* there is an item, or the end */
    pthread_cond_t change; /* a thread started, failed, became idle or ended */
    void **ring;
    size_t first, waiting, reserved;
    unsigned started, ended;
    bool stopping, failed;
    struct err why; /* of the first thread that could not start */
    pthread_t *threads;
    unsigned thread_count;
};

static void *take(struct workers *workers)
{
    void *item = workers->ring[workers->first];
    workers->first = (workers->first + 1) % workers->settings.limit;
    workers->waiting--;
    workers->reserved--;
    return item;
}

/* With the lock held; returns with it held when the end has come. */
static void work(struct workers *workers, void *state)
{
    const struct workers_settings *settings = &workers->settings;
    for (;;) {
        while (workers->waiting == 0 && !workers->stopping)
            pthread_cond_wait(&workers->work, &workers->lock);
        if (workers->waiting == 0)
            return;
        void *item = take(workers);
        pthread_mutex_unlock(&workers->lock);
        settings->run(settings->context, state, item);
        pthread_mutex_lock(&workers->lock);
    }
}

static void *thread_main(void *argument)
{
    struct workers *workers = argument;
    const struct workers_settings *settings = &workers->settings;
    void *state = NULL;
    struct err err;
    bool works = settings->start(settings->context, &state, &err);
    pthread_mutex_lock(&workers->lock);
    workers->started++;
    if (!works && !workers->failed) {
        workers->failed = true;
        workers->why = err;
    }
    pthread_cond_broadcast(&workers->change);
    if (works)
        work(workers, state);
    pthread_mutex_unlock(&workers->lock);
    if (works)
        settings->stop(settings->context, state);
    pthread_mutex_lock(&workers->lock);
    workers->ended++;
    pthread_cond_broadcast(&workers->change);
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

static void thread_name(pthread_t thread, unsigned number)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "worker-%u", number % 1000);
    (void)pthread_setname_np(thread, name);
}

static bool threads_start(struct workers *workers, struct err *err)
{
    for (unsigned i = 0; i < workers->settings.count; i++) {
        if (pthread_create(&workers->threads[i], NULL, thread_main, workers) != 0)
            return err_set(err, ERR_UNAVAILABLE, "cannot start worker thread %u", i);
        thread_name(workers->threads[i], i);
        workers->thread_count++;
    }
    pthread_mutex_lock(&workers->lock);
    while (workers->started < workers->thread_count)
        pthread_cond_wait(&workers->change, &workers->lock);
    bool failed = workers->failed;
    if (failed)
        *err = workers->why;
    pthread_mutex_unlock(&workers->lock);
    return !failed;
}

static void wait_until(struct workers *workers, int64_t deadline)
{
    struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = (deadline % 1000) * 1000000};
    (void)pthread_cond_clockwait(&workers->change, &workers->lock, CLOCK_MONOTONIC, &at);
}

bool workers_start(void *owner, const struct workers_settings *settings, struct workers **out,
                   struct err *err)
{
    struct workers *workers = mem_new(owner, struct workers);
    workers->settings = *settings;
    workers->ring = mem_array(workers, void *, settings->limit);
    workers->threads = mem_array(workers, pthread_t, settings->count);
    if (pthread_mutex_init(&workers->lock, NULL) != 0 ||
        pthread_cond_init(&workers->work, NULL) != 0 ||
        pthread_cond_init(&workers->change, NULL) != 0)
        bug("no mutex");
    if (!threads_start(workers, err)) {
        (void)workers_stop(workers, INT64_MAX);
        mem_free(workers);
        return false;
    }
    *out = workers;
    return true;
}

bool workers_reserve(struct workers *workers, unsigned quarters)
{
    size_t most = (workers->settings.limit * quarters + 3) / 4;
    pthread_mutex_lock(&workers->lock);
    bool free = !workers->stopping && workers->reserved < most;
    if (free)
        workers->reserved++;
    pthread_mutex_unlock(&workers->lock);
    return free;
}

void workers_add(struct workers *workers, void *item)
{
    pthread_mutex_lock(&workers->lock);
    size_t at = (workers->first + workers->waiting) % workers->settings.limit;
    workers->ring[at] = item;
    workers->waiting++;
    pthread_cond_signal(&workers->work);
    pthread_mutex_unlock(&workers->lock);
}

bool workers_stop(struct workers *workers, int64_t deadline)
{
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->work);
    while (workers->ended < workers->thread_count && clock_monotonic_ms() < deadline)
        wait_until(workers, deadline);
    bool all = workers->ended == workers->thread_count;
    while (workers->waiting > 0) {
        void *item = take(workers);
        pthread_mutex_unlock(&workers->lock);
        workers->settings.drop(workers->settings.context, item);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; all && i < workers->thread_count; i++)
        (void)pthread_join(workers->threads[i], NULL);
    return all;
}
