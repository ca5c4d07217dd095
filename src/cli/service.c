/* SPDX-License-Identifier: Apache-2.0 */
/* Apple's enrolment service: bringing its token in, looking there now, and its profiles. */
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/prompt.h"

#define TOKEN_SIZE_MAX 65536   /* bytes */
#define PROFILE_SIZE_MAX 16384 /* bytes of a file */
#define SYNC_WAIT_MS 30000
#define SYNC_LOOK_MS 300
#define SYNC_PAUSE_MS 1100 /* the time of a try is in whole seconds: two in one look like one */
#define SERVICE_PATH "/apple/enrolment-service"

static const struct json_limits limits = {PROFILE_SIZE_MAX, 4, 512};

int service_import_run(struct cli *cli)
{
    struct err err;
    struct bytes content;
    const char *path = cli->words->holes[0];
    if (!input_read(cli->owner, path, TOKEN_SIZE_MAX, &content, &err))
        return cli_usage(cli, &err);
    char *text = bytes_to_text(cli->owner, content);
    if (!text || !*text) {
        (void)err_set(&err, ERR_BAD_INPUT, "%s is no server token: it is not text",
                      input_name(path));
        return cli_usage(cli, &err);
    }
    CLEANUP(json_decref_at)
    json_t *body = json_pack("{s:s, s:b}", "token", text, "replace",
                             words_has(cli->words, OPTION_REPLACE) ? 1 : 0);
    const struct api_call call = {.method = "PUT", .path = SERVICE_PATH "/token", .body = body};
    return plain_send(cli, &call);
}

/* ---- now ---- */

static void pause_ms(int ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

static const char *tried(const json_t *state)
{
    const char *text = json_string_value(json_object_get(state, "tried_at"));
    return text ? text : "";
}

/* Until the server has tried again; its state as it is then. New reference in *state. */
static bool sync_wait(struct cli *cli, const char *before, json_t **state, struct err *err)
{
    const struct api_call look = {.method = "GET", .path = SERVICE_PATH};
    int64_t until = clock_monotonic_ms() + SYNC_WAIT_MS;
    while (text_equal(tried(*state), before) && clock_monotonic_ms() < until) {
        pause_ms(SYNC_LOOK_MS);
        json_decref(*state);
        *state = NULL;
        if (!api_send(cli, &look, state, err))
            return false;
    }
    return !text_equal(tried(*state), before) ||
           err_set(err, ERR_UNAVAILABLE, "the server is not done yet; ask for its state later");
}

int service_sync_run(struct cli *cli)
{
    struct err err;
    json_t *state = NULL;
    const struct api_call call = {.method = "POST", .path = SERVICE_PATH "/sync"};
    pause_ms(SYNC_PAUSE_MS);
    if (!api_send(cli, &call, &state, &err))
        return cli_fail(cli, &err);
    const char *before = mem_text(cli->owner, tried(state));
    if (!sync_wait(cli, before, &state, &err)) {
        json_decref(state);
        return cli_fail(cli, &err);
    }
    bool has_failed = json_is_string(json_object_get(state, "problem"));
    plain_show(cli, state);
    return has_failed ? EXIT_ERROR : EXIT_DONE;
}

/* ---- profiles ---- */

/* A JSON value where it is one that a profile knows (a switch, a list), else a text. */
static json_t *value_of(const char *text)
{
    if (text_equal(text, "true") || text_equal(text, "false") || text[0] == '[') {
        json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
        if (json)
            return json;
    }
    return json_string(text);
}

static bool profile_body(struct cli *cli, json_t **body, struct err *err)
{
    const struct words *words = cli->words;
    const char *path = words_option(words, OPTION_FILE);
    struct bytes content;
    if (path) {
        json_decref(*body);
        *body = NULL;
        if (!input_read(cli->owner, path, PROFILE_SIZE_MAX, &content, err))
            return false;
        if (!json_parse(content, &limits, body, err))
            return err_context(err, "%s", input_name(path));
        if (!json_is_object(*body))
            return err_set(err, ERR_BAD_INPUT, "%s: a JSON object is wanted", input_name(path));
    }
    for (size_t i = 0; i < words->given_count[OPTION_SET]; i++) {
        const char *typed = words->given[OPTION_SET][i];
        const char *equals = strchr(typed, '=');
        if (!equals || equals == typed)
            return err_set(err, ERR_BAD_INPUT, "--set wants NAME=VALUE, not \"%.60s\"", typed);
        json_set(*body, mem_text_part(cli->owner, typed, (size_t)(equals - typed)),
                 value_of(equals + 1));
    }
    return true;
}

int service_profile_run(struct cli *cli)
{
    struct err err;
    CLEANUP(json_decref_at) json_t *body = json_object();
    if (!profile_body(cli, &body, &err))
        return cli_usage(cli, &err);
    const struct api_call call = {
        .method = "PUT",
        .path = api_path(cli->owner, SERVICE_PATH "/profiles/{}", cli->words->holes, 1),
        .body = body};
    return plain_send(cli, &call);
}
