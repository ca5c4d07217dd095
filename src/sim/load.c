/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load: phones in memory enrol, then run sessions one after another on a number of connections at
 * a time, through refused connections and 503.  An unanswered result is sent again first, as
 * always; the ledger tells what the server has acknowledged.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "sim/enrol.h"
#include "sim/program.h"
#include "sim/session.h"
#include "sim/statistics.h"

#define ENROL_PATIENCE 30 /* seconds; a restart of the server takes less */
#define BACK_OFF_FIRST_MS 20
#define BACK_OFF_LAST_MS 500

struct load {
    const struct options *options;
    const struct certificates *authority;
    char **links;
    size_t link_count;
    int64_t until; /* clock_monotonic_ms */
};

struct worker {
    pthread_t thread;
    const struct load *load;
    size_t first; /* this worker's phones: first, first + connections, ... */
    struct phone **phones;
    size_t phone_count, enrolled;
    struct ledger *ledger;
    struct statistics *statistics;
    bool started;
};

static void exchanged(void *context, const char *message, int status, double seconds)
{
    statistics_add(context, message, status, seconds);
}

static bool over(const struct load *load)
{
    return stop_asked() || clock_monotonic_ms() >= load->until;
}

static void back_off(int64_t *pause)
{
    struct timespec time = {.tv_nsec = *pause * 1000000};
    (void)nanosleep(&time, NULL);
    *pause = *pause * 2 > BACK_OFF_LAST_MS ? BACK_OFF_LAST_MS : *pause * 2;
}

static bool phone_enrol(struct worker *worker, size_t index, struct err *err)
{
    const struct options *options = worker->load->options;
    CLEANUP(json_decref_at) json_t *report = json_object();
    struct web_options web = {.patience_seconds =
                                  (int)(options->patience ? options->patience : ENROL_PATIENCE),
                              .fresh_connections = options->fresh_tls};
    struct enrol_options enrol = {
        .link = worker->load->links[index], .keys = options->keys, .push_url = options->push_host};
    struct phone *phone = NULL;
    if (!phone_make(worker, NULL, worker->load->authority, &web, &phone, err))
        return false;
    mem_free(phone->ledger);
    phone->ledger = worker->ledger;
    phone->observer = (struct observer){exchanged, worker->statistics};
    if (!enrol_by_link(phone, &enrol, report, err) || !phone_patience_set(phone, 0, err)) {
        mem_free(phone);
        return false;
    }
    worker->phones[worker->phone_count++] = phone;
    worker->enrolled++;
    return true;
}

static void phones_enrol(struct worker *worker)
{
    size_t step = (size_t)worker->load->options->connections;
    size_t all = (size_t)worker->load->options->devices;
    for (size_t i = worker->first; i < all && !stop_asked(); i += step) {
        struct err err = {0};
        if (!phone_enrol(worker, i, &err))
            statistics_error(worker->statistics, err.text);
    }
}

/* A phone that the server has let go is out. */
static void sessions_run(struct worker *worker)
{
    struct session_options options = {0};
    int64_t pause = BACK_OFF_FIRST_MS;
    for (size_t turn = 0; worker->phone_count > 0 && !over(worker->load); turn++) {
        size_t index = turn % worker->phone_count;
        struct phone *phone = worker->phones[index];
        struct err err = {0};
        bool done = session_run(phone, &options, NULL, &err);
        if (phone->enrolment.status != PHONE_ENROLLED) {
            mem_free(phone);
            worker->phones[index] = worker->phones[--worker->phone_count];
        } else if (!done) {
            statistics_error(worker->statistics, err_kind_name(err.kind));
            back_off(&pause);
        } else {
            pause = BACK_OFF_FIRST_MS;
        }
    }
}

static void *worker_run(void *context)
{
    struct worker *worker = context;
    phones_enrol(worker);
    sessions_run(worker);
    return NULL;
}

static bool links_read(void *owner, const struct options *options, struct load *load,
                       struct err *err)
{
    struct bytes content;
    if (!file_read(owner, options->link_file, (size_t)16 << 20, &content, err))
        return false;
    char *text = bytes_to_text(owner, content);
    if (!text)
        return err_set(err, ERR_BAD_INPUT, "%s is not text", options->link_file);
    load->links = mem_array(owner, char *, (size_t)options->devices);
    for (char *line; (line = strsep(&text, "\n")) && load->link_count < (size_t)options->devices;)
        if (*line)
            load->links[load->link_count++] = line;
    return load->link_count == (size_t)options->devices ||
           err_set(err, ERR_BAD_INPUT, "%s has %zu links for %d devices", options->link_file,
                   load->link_count, (int)options->devices);
}

static bool worker_start(struct worker *worker, const struct load *load, size_t first,
                         struct err *err)
{
    size_t share = (size_t)(load->options->devices / load->options->connections) + 1;
    worker->load = load;
    worker->first = first;
    worker->phones = mem_array(worker, struct phone *, share);
    worker->statistics = statistics_new(worker);
    if (!ledger_open(worker, load->options->ledger, &worker->ledger, err))
        return false;
    worker->started = pthread_create(&worker->thread, NULL, worker_run, worker) == 0;
    return worker->started || err_set(err, ERR_UNAVAILABLE, "no thread for connection %zu", first);
}

static bool workers_run(struct worker **workers, const struct load *load, struct err *err)
{
    bool done = true;
    for (size_t i = 0; i < (size_t)load->options->connections && done; i++)
        done = worker_start(workers[i], load, i, err);
    for (size_t i = 0; i < (size_t)load->options->connections; i++)
        if (workers[i]->started)
            (void)pthread_join(workers[i]->thread, NULL);
    return done;
}

bool apple_load(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    size_t count = (size_t)options->connections, enrolled = 0, left = 0;
    struct load load = {.options = options};
    struct certificates *authority = NULL;
    if ((options->ca && !certificates_load(owner, options->ca, &authority, err)) ||
        !links_read(owner, options, &load, err))
        return false;
    load.authority = authority;
    stop_watch();
    int64_t start = clock_monotonic_ms();
    load.until = start + options->seconds * 1000;
    struct worker **workers = mem_array(owner, struct worker *, count);
    for (size_t i = 0; i < count; i++) /* each its own tree: one owner belongs to one thread */
        workers[i] = mem_new(NULL, struct worker);
    bool done = workers_run(workers, &load, err);
    struct statistics *all = statistics_new(owner);
    for (size_t i = 0; i < count; i++) {
        enrolled += workers[i]->enrolled;
        left += workers[i]->phone_count;
        statistics_merge(all, workers[i]->statistics);
        mem_free(workers[i]);
    }
    json_object_set_new(result, "devices", json_integer(options->devices));
    json_object_set_new(result, "enrolled", json_integer((json_int_t)enrolled));
    json_object_set_new(result, "still_enrolled", json_integer((json_int_t)left));
    statistics_show(all, (double)(clock_monotonic_ms() - start) / 1000, result);
    return done;
}
