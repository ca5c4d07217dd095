/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phones that stay on: each runs a session when the simulated APNs says that it was pushed, and in
 * any case every --interval seconds.  State is read anew for each session, so that `set` works
 * meanwhile.  One JSON line for each session.
 */
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "sim/program.h"
#include "sim/session.h"

#define WAIT_SECONDS 20 /* of one long poll */
#define ANSWER_MAX 65536

struct fleet {
    const struct options *options;
    char **directories;
    char **tokens; /* NULL until the phone is enrolled */
    size_t count;
    struct web *web; /* to the simulated APNs; NULL: polling alone */
};

/* The phone in its directory for a moment; NULL when it cannot be read. */
static struct phone *phone_borrow(void *owner, const struct fleet *fleet, size_t index)
{
    struct web_options web = {.patience_seconds = (int)fleet->options->patience};
    struct phone *phone = NULL;
    struct err err = {0};
    if (phone_load(owner, fleet->directories[index], &web, &phone, &err))
        return phone;
    CLEANUP(json_decref_at) json_t *line = json_pack("{s:s}", "state", fleet->directories[index]);
    error_show(line, &err);
    line_print(line);
    return NULL;
}

/* A locked phone does nothing by itself: the user unlocks it, then it asks again. */
static void session_once(struct fleet *fleet, size_t index, const char *why)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct phone *phone = phone_borrow(owner, fleet, index);
    struct session_options options = {0};
    struct err err = {0};
    if (!phone)
        return;
    mem_free(fleet->tokens[index]);
    fleet->tokens[index] = NULL;
    if (phone->enrolment.status != PHONE_ENROLLED)
        return;
    CLEANUP(json_decref_at)
    json_t *line = json_pack("{s:s, s:s}", "state", fleet->directories[index], "why", why);
    bool done = session_run(phone, &options, line, &err);
    json_object_set_new(line, "ok", json_boolean(done));
    if (!done)
        error_show(line, &err);
    line_print(line);
    if (phone->enrolment.token)
        fleet->tokens[index] = mem_text(NULL, phone->enrolment.token);
}

static void pushed_run(struct fleet *fleet, const json_t *answer)
{
    size_t position;
    json_t *one;
    json_array_foreach(json_object_get(answer, "tokens"), position, one)
    {
        for (size_t i = 0; i < fleet->count; i++)
            if (text_equal(fleet->tokens[i], json_string_value(one)))
                session_once(fleet, i, "push");
    }
}

static void pause_ms(int64_t milliseconds)
{
    struct timespec pause = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (milliseconds % 1000) * 1000000};
    (void)nanosleep(&pause, NULL); /* ends early on a signal, as it should */
}

/* One long poll for all phones; waits a second when the simulated APNs is not there. */
static void pushes_wait(struct fleet *fleet, int64_t seconds)
{
    static const struct json_limits limits = {.size = ANSWER_MAX, .depth = 4, .nodes = 4096};
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    CLEANUP(json_decref_at) json_t *answer = NULL;
    struct buffer body;
    struct web_reply reply = {0};
    struct err err = {0};
    buffer_init(&body, owner, (size_t)4 << 20);
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->tokens[i])
            buffer_format(&body, "%s\n", fleet->tokens[i]);
    struct web_request request = {
        .method = "POST",
        .plain_allowed = true,
        .url = mem_format(owner, "%s/sim/wait?seconds=%d", fleet->options->apns, (int)seconds)};
    if (buffer_done(&body, &request.body, &err) &&
        web_send(fleet->web, owner, &request, &reply, &err) && reply.status == 200 &&
        json_parse(reply.body, &limits, &answer, &err))
        pushed_run(fleet, answer);
    else
        pause_ms(1000);
}

static bool fleet_open(void *owner, const struct options *options, struct fleet *out,
                       struct err *err)
{
    struct web_options web = {.timeout_seconds = WAIT_SECONDS + 10};
    struct fleet fleet = {.options = options};
    size_t rest = 0;
    while (options->rest[rest])
        rest++;
    fleet.directories = mem_array(owner, char *, rest + 1);
    fleet.tokens = mem_array(owner, char *, rest + 1);
    if (options->state)
        fleet.directories[fleet.count++] = options->state;
    for (size_t i = 0; i < rest; i++)
        fleet.directories[fleet.count++] = options->rest[i];
    if (fleet.count == 0)
        return err_set(err, ERR_BAD_INPUT, "no phone is given");
    if (options->apns && !web_open(owner, &web, &fleet.web, err))
        return false;
    *out = fleet;
    return true;
}

bool apple_serve(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct fleet fleet;
    if (!fleet_open(owner, options, &fleet, err))
        return false;
    stop_watch();
    for (int64_t next = 0; !stop_asked();) {
        int64_t now = clock_monotonic_ms();
        if (now >= next) {
            for (size_t i = 0; i < fleet.count && !stop_asked(); i++)
                session_once(&fleet, i, "time");
            next = clock_monotonic_ms() + options->interval * 1000;
            continue;
        }
        if (fleet.web)
            pushes_wait(&fleet, (next - now) / 1000 < WAIT_SECONDS ? (next - now) / 1000 + 1
                                                                   : WAIT_SECONDS);
        else
            pause_ms(next - now);
    }
    for (size_t i = 0; i < fleet.count; i++)
        mem_free(fleet.tokens[i]);
    json_object_set_new(result, "stopped", json_true());
    return true;
}
