/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load: phones in memory enrol, then run sessions one after another on a number of connections at
 * a time, through refused connections and 503.  An unanswered result is sent again first, as
 * always; the ledger tells what the server has acknowledged.  A phone that was let go, wiped or
 * asked to leave comes again with a spare link, as the device it was.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "sim/channel.h"
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
    atomic_size_t *next_link; /* the first that no phone has used */
    int64_t until;            /* clock_monotonic_ms */
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

static int enrol_patience(const struct options *options)
{
    return (int)(options->patience ? options->patience : ENROL_PATIENCE);
}

/* In a session there is none: the next one sends what was not taken. */
static bool link_use(struct phone *phone, const struct load *load, size_t index, struct err *err)
{
    const struct options *options = load->options;
    CLEANUP(json_decref_at) json_t *report = json_object();
    struct enrol_options enrol = {
        .link = load->links[index], .keys = options->keys, .push_url = options->push_host};
    return enrol_by_link(phone, &enrol, report, err) && phone_patience_set(phone, 0, err);
}

static bool phone_enrol(struct worker *worker, size_t index, struct err *err)
{
    const struct options *options = worker->load->options;
    struct web_options web = {.patience_seconds = enrol_patience(options),
                              .fresh_connections = options->fresh_tls};
    struct phone *phone = NULL;
    if (!phone_make(worker, NULL, worker->load->authority, &web, &phone, err))
        return false;
    mem_free(phone->ledger);
    phone->ledger = worker->ledger;
    phone->observer = (struct observer){exchanged, worker->statistics};
    if (!link_use(phone, worker->load, index, err)) {
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

/* A phone that has left: again with a spare link.  False: it is out. */
static bool phone_return(struct worker *worker, struct phone *phone)
{
    const struct load *load = worker->load;
    size_t link = atomic_fetch_add(load->next_link, 1);
    struct err err = {0};
    if (link >= load->link_count || over(load))
        return false;
    if (phone_patience_set(phone, enrol_patience(load->options), &err) &&
        link_use(phone, load, link, &err)) {
        worker->enrolled++;
        return true;
    }
    statistics_error(worker->statistics, err.text);
    return false;
}

/* Its user removes management: one farewell, whether it arrives or not. */
static bool phone_leave(struct phone *phone, struct err *err)
{
    struct err lost;
    if (phone->enrolment.check_out_when_removed)
        (void)!channel_check_out(phone, NULL, &lost);
    return phone_forget(phone, PHONE_UNENROLLED, err);
}

/* turn: of all phones of this worker together; round: of each of them */
static bool phone_work(const struct load *load, struct phone *phone, size_t turn, size_t round,
                       struct err *err)
{
    const struct session_options options = {0};
    const struct options *wish = load->options;
    if (wish->leave_after && (round + 1) % (size_t)wish->leave_after == 0)
        return phone_leave(phone, err);
    phone->model.locked = wish->locked_every && turn % (size_t)wish->locked_every == 0;
    return session_run(phone, &options, NULL, err);
}

static void sessions_run(struct worker *worker)
{
    int64_t pause = BACK_OFF_FIRST_MS;
    for (size_t turn = 0; worker->phone_count > 0 && !over(worker->load); turn++) {
        size_t index = turn % worker->phone_count;
        struct phone *phone = worker->phones[index];
        struct err err = {0};
        bool done = phone_work(worker->load, phone, turn, turn / worker->phone_count, &err);
        if (phone->enrolment.status != PHONE_ENROLLED && !phone_return(worker, phone)) {
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
    for (char *line; (line = strsep(&text, "\n"));) {
        if (!*line)
            continue;
        load->links = mem_grow(owner, load->links, load->link_count + 1);
        load->links[load->link_count++] = line;
    }
    return load->link_count >= (size_t)options->devices ||
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
    atomic_size_t next_link = (size_t)options->devices;
    struct load load = {.options = options, .next_link = &next_link};
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
