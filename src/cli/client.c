/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "base/clock.h"
#include "base/text.h"
#include "codec/uri.h"

#define API "/api/v1"
#define TIMEOUT_SECONDS 30
#define TIMEOUT_SECONDS_MAX 3600
#define TIMEOUT_SLACK_MS 100

static const struct json_limits limits = {API_ANSWER_MAX, 64, 8 << 20};
static const struct json_limits problem_limits = {65536, 8, 4096};

char *api_path(void *owner, const char *path, const char *const *names, size_t count)
{
    char *made = mem_text(owner, "");
    size_t used = 0;
    for (const char *at = path; *at;) {
        const char *hole = strstr(at, "{}");
        size_t size = hole ? (size_t)(hole - at) : strlen(at);
        const char *name = hole && used < count ? uri_encode(owner, api_name(names[used++])) : "";
        made = mem_format(owner, "%s%.*s%s", made, (int)size, at, name);
        at += hole ? size + 2 : size;
    }
    return made;
}

char *api_query(void *owner, const char *path, const char *name, const char *value)
{
    if (!value)
        return mem_text(owner, path);
    return mem_format(owner, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', name,
                      uri_encode(owner, value));
}

const char *api_name(const char *typed)
{
    static const char prefix[] = "device/";
    return text_starts(typed, prefix) ? typed + strlen(prefix) : typed;
}

static enum err_kind kind_of(int status)
{
    switch (status) {
    case 401: return ERR_UNAUTHENTICATED;
    case 403: return ERR_FORBIDDEN;
    case 404: return ERR_NOT_FOUND;
    case 409: return ERR_CONFLICT;
    case 412:
    case 428: return ERR_PRECONDITION;
    case 413: return ERR_TOO_LARGE;
    case 429:
    case 502:
    case 503:
    case 504: return ERR_UNAVAILABLE;
    default: return status < 500 ? ERR_BAD_INPUT : ERR_INTERNAL;
    }
}

bool api_problem(void *owner, int status, struct bytes body, struct err *err)
{
    struct err ignored;
    CLEANUP(json_decref_at) json_t *problem = NULL;
    enum err_kind kind = kind_of(status);
    if (!json_parse(body, &problem_limits, &problem, &ignored))
        return err_set(err, kind, "the server answered %d", status);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *remedy = json_string_value(json_object_get(problem, "remedy"));
    const char *request = json_string_value(json_object_get(problem, "request_id"));
    const char *text = detail ? detail : title ? title : "the server gave no reason";
    (void)err_set(err, kind, "%.240s%s%.40s%s", text, request ? " (request " : "",
                  request ? request : "", request ? ")" : "");
    err->remedy = remedy ? mem_text(owner, remedy) : NULL;
    if (!remedy && kind == ERR_UNAUTHENTICATED)
        err->remedy = "muster login";
    return false;
}

bool option_number(struct cli *cli, enum option_id option, int64_t lowest, int64_t highest,
                   int64_t *out, struct err *err)
{
    const char *text = words_option(cli->words, option);
    if (!text || number_parse(bytes_text(text), lowest, highest, out, err))
        return true;
    cli->is_usage = true;
    return err_set(err, ERR_BAD_INPUT, "--%s is a number from %lld to %lld, not \"%.40s\"",
                   option_rows[option].name, (long long)lowest, (long long)highest, text);
}

/* Where there are logins, but none is the current one. */
static bool server_missing(const struct cli *cli, struct err *err)
{
    const char *list = "";
    for (size_t i = 0; i < cli->contexts.count; i++)
        list = mem_format(cli->owner, "%s%s%s", list, i > 0 ? ", " : "",
                          cli->contexts.items[i].server);
    if (list[0]) {
        (void)err_set(err, ERR_UNAUTHENTICATED, "no server is chosen; there are logins at %.200s",
                      list);
        err->remedy = "muster context use SERVER, or --server SERVER for one command";
        return false;
    }
    (void)err_set(err, ERR_UNAUTHENTICATED, "there is no login");
    err->remedy = "muster login --server https://mdm.example.org:8443";
    return false;
}

/* Signing in does not help whoever gave a token by hand. */
static bool token_refused(const struct cli *cli, struct err *err)
{
    if (err->kind != ERR_UNAUTHENTICATED || !cli->is_token_given || !cli->context.token)
        return false;
    (void)err_set(err, ERR_UNAUTHENTICATED,
                  "%s does not know the token of MUSTER_TOKEN, or it ended", cli->context.server);
    err->remedy = "give a good one (muster token create), or unset MUSTER_TOKEN to use the login";
    return false;
}

static bool client_open(struct cli *cli, int64_t timeout, struct err *err)
{
    const struct http_client_settings settings = {.ca_file = cli->context.ca_file,
                                                  .allows_plain =
                                                      text_starts(cli->context.server, "http://"),
                                                  .answer_seconds = timeout};
    return cli->client || http_client_open(cli->owner, &settings, &cli->client, err);
}

static bool answer_read(const struct cli *cli, const struct http_answer *answer, json_t **out,
                        struct err *err)
{
    if (answer->status >= 300 && answer->status < 400)
        return err_set(err, ERR_UNAVAILABLE, "%s sends us elsewhere (status %d): it is no Muster",
                       cli->context.server, answer->status);
    if (answer->status >= 400 || answer->status < 200)
        return api_problem(cli->owner, answer->status, answer->body, err) ||
               token_refused(cli, err);
    if (answer->body.size == 0) {
        *out = json_null();
        return true;
    }
    return json_parse(answer->body, &limits, out, err) ||
           err_context(err, "the answer of %s", cli->context.server);
}

static bool call_send(struct cli *cli, const struct api_call *call, struct http_answer *answer,
                      struct err *err)
{
    struct http_line headers[4];
    struct http_call http = {
        .method = call->method, .headers = headers, .answer_limit = API_ANSWER_MAX};
    char *bearer =
        mem_format(cli->owner, "Bearer %s", cli->context.token ? cli->context.token : "");
    headers[http.header_count++] = (struct http_line){"Accept", "application/json"};
    if (cli->context.token)
        headers[http.header_count++] = (struct http_line){"Authorization", bearer};
    if (call->if_revision > 0)
        headers[http.header_count++] = (struct http_line){
            "If-Match", mem_format(cli->owner, "\"%lld\"", (long long)call->if_revision)};
    char *body = call->body ? json_text(cli->owner, call->body) : NULL;
    if (body) {
        headers[http.header_count++] = (struct http_line){"Content-Type", "application/json"};
        http.body = bytes_text(body);
    }
    http.url = mem_format(cli->owner, "%s" API "%s", cli->context.server, call->path);
    bool ok = http_client_send(cli->client, cli->owner, &http, answer, err);
    bytes_wipe(bearer, strlen(bearer));
    if (body)
        bytes_wipe(body, strlen(body));
    return ok;
}

bool api_send(struct cli *cli, const struct api_call *call, json_t **out, struct err *err)
{
    int64_t timeout = TIMEOUT_SECONDS;
    struct http_answer answer;
    int64_t started = clock_monotonic_ms();
    if (!cli->context.server)
        return server_missing(cli, err);
    if (!option_number(cli, OPTION_TIMEOUT, 1, TIMEOUT_SECONDS_MAX, &timeout, err) ||
        !client_open(cli, timeout, err))
        return false;
    if (!call_send(cli, call, &answer, err)) {
        cli->is_late = clock_monotonic_ms() - started >= timeout * 1000 - TIMEOUT_SLACK_MS;
        if (strstr(err->text, "certificate"))
            err->remedy = "if it is a Muster of yours: --ca FILE, its root certificate as PEM";
        return err_context(err, "%s", cli->context.server);
    }
    return answer_read(cli, &answer, out, err);
}
