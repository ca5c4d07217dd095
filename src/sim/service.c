/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated enrolment service: its door, and what tests make it do. */
#include "sim/service.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/text.h"
#include "sim/program.h"

#define TURN_MS 200
#define PAGE_SIZE 100

static int service_free(struct service *service)
{
    json_decref(service->devices);
    json_decref(service->changes);
    json_decref(service->profiles);
    json_decref(service->nonces);
    json_decref(service->scripts);
    json_decref(service->calls);
    json_decref(service->account);
    return 0;
}

/* ---- what tests make it do ---- */

static void fine(const struct incoming *in, struct outgoing *out)
{
    answer_json(in, out, 200, json_pack("{s:b}", "ok", 1));
}

/* path=/account&status=503&word=BUSY&retry_after=2&times=1 */
static void script_take(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    json_t *script = json_object();
    for (size_t i = 0; i < in->query.count; i++)
        json_object_set_new(script, in->query.pairs[i].name, json_string(in->query.pairs[i].value));
    json_array_append_new(service->scripts, script);
    fine(in, out);
}

static int64_t number_of(const json_t *script, const char *name, int64_t otherwise)
{
    const char *text = json_string_value(json_object_get(script, name));
    int64_t number = otherwise;
    struct err ignored;
    return text && number_parse(bytes_text(text), 0, INT64_MAX, &number, &ignored) ? number
                                                                                   : otherwise;
}

/* A script for this path answers, and is used up by it. */
static bool script_answer(struct service *service, const struct incoming *in, struct outgoing *out)
{
    size_t i;
    json_t *script;
    json_array_foreach(service->scripts, i, script)
    {
        if (!text_equal(json_string_value(json_object_get(script, "path")), in->path))
            continue;
        int64_t times = number_of(script, "times", 1) - 1;
        int64_t retry_after = number_of(script, "retry_after", 0);
        const char *word = json_string_value(json_object_get(script, "word"));
        answer_word(out, (int)number_of(script, "status", 500),
                    mem_text(in->owner, word ? word : ""));
        if (retry_after)
            out->header = mem_format(in->owner, "Retry-After: %lld", (long long)retry_after);
        json_object_set_new(script, "times",
                            json_string(mem_format(in->owner, "%lld", (long long)times)));
        if (times <= 0)
            json_array_remove(service->scripts, i);
        return true;
    }
    return false;
}

/* What is out there is worth nothing any more: session=1, cursor=1. */
static void expire_take(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    if (uri_query_get(&in->query, "cursor"))
        service->generation++;
    if (uri_query_get(&in->query, "session")) {
        mem_free(service->session);
        service->session = NULL;
    }
    fine(in, out);
}

static void books_show(void *context, const struct incoming *in, struct outgoing *out)
{
    const struct service *service = context;
    answer_json(in, out, 200,
                json_pack("{s:O, s:O, s:O}", "devices", service->devices, "profiles",
                          service->profiles, "calls", service->calls));
}

static void account_take(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    for (size_t i = 0; i < in->query.count; i++)
        json_object_set_new(service->account, in->query.pairs[i].name,
                            json_string(in->query.pairs[i].value));
    fine(in, out);
}

/* ---- door ---- */

static const struct row {
    const char *method, *path;
    incoming_handle *handle;
    bool is_open; /* without a session */
} table[] = {
    {"GET", "/account", books_account, false},
    {"POST", "/server/devices", books_fetch, false},
    {"POST", "/devices/sync", books_sync, false},
    {"POST", "/profile", books_define, false},
    {"PUT", "/profile/devices", books_assign, false},
    {"DELETE", "/profile/devices", books_unassign, false},
    {"POST", "/sim/devices", books_add, true},
    {"POST", "/sim/remove", books_remove, true},
    {"GET", "/sim/activation", books_activation, true},
    {"POST", "/sim/answer", script_take, true},
    {"POST", "/sim/expire", expire_take, true},
    {"POST", "/sim/account", account_take, true},
    {"GET", "/sim/books", books_show, true},
};

static void serve_row(struct service *service, const struct incoming *in, struct outgoing *out)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct row *row = &table[i];
        if (!text_equal(row->method, in->method) || !text_equal(row->path, in->path))
            continue;
        if (row->is_open || service_session_check(service, in, out))
            row->handle(service, in, out);
        return;
    }
    answer_word(out, 404, "NOT_FOUND");
}

static void serve(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    bool is_sim = text_starts(in->path, "/sim/");
    service->now = clock_now();
    if (is_sim || !script_answer(service, in, out)) {
        if (text_equal(in->method, "GET") && text_equal(in->path, "/session"))
            (void)service_session_take(service, in, out);
        else
            serve_row(service, in, out);
    }
    if (!is_sim)
        json_array_append_new(service->calls, json_pack("{s:s, s:s, s:i}", "method", in->method,
                                                        "path", in->path, "status", out->status));
}

static bool ready_tell(const struct https *https, const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    const char *url = mem_format(scratch, "https://localhost:%d", https_port(https));
    CLEANUP(json_decref_at)
    json_t *line = json_pack("{s:i, s:s}", "port", https_port(https), "url", url);
    line_print(line);
    return !options->ready_file ||
           file_write(options->ready_file, bytes_text(json_text(scratch, line)), 0644, err);
}

bool enrolment_service_serve(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) struct service *service = mem_new(NULL, struct service);
    struct https *https = NULL;
    *service = (struct service){
        .directory = options->dir,
        .devices = json_array(),
        .changes = json_array(),
        .profiles = json_object(),
        .nonces = json_object(),
        .scripts = json_array(),
        .calls = json_array(),
        .account = json_pack("{s:s, s:s, s:s, s:s, s:s}", "server_name", "Muster", "server_uuid",
                             "SIM-SERVER-1", "org_name", "Example Ltd", "org_id", "100", "admin_id",
                             "admin@example.org"),
        .session_life = options->session_calls,
        .rotates = options->rotate,
        .page_size = options->page_size ? options->page_size : PAGE_SIZE,
    };
    mem_destructor(service, service_free);
    const struct https_settings settings = {
        .certificate = mem_format(service, "%s/server.pem", options->dir),
        .key = mem_format(service, "%s/server.key", options->dir),
        .port = options->port};
    if (!https_open(service, &settings, &https, err))
        return false;
    stop_watch();
    if (!ready_tell(https, options, err))
        return false;
    while (!stop_asked())
        https_turn(https, TURN_MS, serve, service);
    json_object_set_new(result, "calls", json_incref(service->calls));
    return true;
}
