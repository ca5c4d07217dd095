/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/context.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/text.h"
#include "codec/json.h"

#define CONTEXTS_SIZE_MAX (1 << 20) /* bytes */
#define SERVER_LONGEST 300

static const struct json_limits limits = {CONTEXTS_SIZE_MAX, 4, 8192};

static const struct field rows[] = {
    TEXT_FIELD(struct context, server, FIELD_REQUIRED, .lowest = 1, .highest = SERVER_LONGEST),
    TEXT_FIELD(struct context, token, FIELD_REQUIRED, .lowest = 1),
    TEXT_FIELD(struct context, account, 0),
    TEXT_FIELD(struct context, ca_file, 0),
    TIME_FIELD(struct context, expires_at, 0),
};
static const struct fields context_fields = FIELDS(rows);

bool contexts_path(void *owner, char **out, struct err *err)
{
    const char *file = getenv("MUSTER_CONFIG");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (file && file[0])
        *out = mem_text(owner, file);
    else if (config && config[0] == '/')
        *out = mem_format(owner, "%s/muster/contexts.json", config);
    else if (home && home[0] == '/')
        *out = mem_format(owner, "%s/.config/muster/contexts.json", home);
    else
        return err_set(err, ERR_NOT_FOUND, "neither HOME nor MUSTER_CONFIG is set");
    return true;
}

static bool context_bind(void *owner, const json_t *json, struct context *out, struct err *err)
{
    struct context context = {0};
    if (!json_bind(owner, json, context_fields, &context, NULL, err))
        return false;
    *out = context;
    return true;
}

static bool contexts_bind(void *owner, const json_t *json, struct contexts *out, struct err *err)
{
    const json_t *list = json_object_get(json, "contexts");
    const char *current = json_string_value(json_object_get(json, "current"));
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > CONTEXTS_MAX)
        return err_set(err, ERR_BAD_INPUT, "it holds no list of contexts");
    out->items = mem_array(owner, struct context, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!context_bind(owner, json_array_get(list, i), &out->items[i], err))
            return false;
    out->count = count;
    out->current = current ? mem_text(owner, current) : NULL;
    return true;
}

bool contexts_load(void *owner, const char *path, struct contexts *out, struct err *err)
{
    struct stat status;
    struct bytes content;
    struct contexts contexts = {0};
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (stat(path, &status) != 0 && errno == ENOENT) {
        *out = contexts;
        return true;
    }
    if (!file_read(owner, path, CONTEXTS_SIZE_MAX, &content, err))
        return false;
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)err_set(err, ERR_FORBIDDEN, "%s holds secrets and others may read it", path);
        err->remedy = "chmod 600 it, and log in again if others may have read it";
        return false;
    }
    if (!json_parse(content, &limits, &json, err) || !contexts_bind(owner, json, &contexts, err))
        return err_context(err, "%s", path);
    *out = contexts;
    return true;
}

static bool directory_make(const char *path, struct err *err)
{
    CLEANUP(mem_free_at) char *parent = mem_text(NULL, path);
    for (char *at = parent + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        if (mkdir(parent, S_IRWXU) != 0 && errno != EEXIST)
            return err_set(err, ERR_UNAVAILABLE, "cannot make %s: %s", parent, strerror(errno));
    }
    return true;
}

/* Written by hand: a field table would leave the secret out. */
static json_t *context_json(const struct context *context)
{
    json_t *json = json_from(context_fields, context);
    if (json_object_set_new(json, "token", json_string(context->token)) != 0)
        bug("no token in a context");
    return json;
}

bool contexts_save(const char *path, const struct contexts *contexts, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < contexts->count; i++)
        if (json_array_append_new(list, context_json(&contexts->items[i])) != 0)
            bug("no context");
    json_t *current = contexts->current ? json_string(contexts->current) : json_null();
    if (json_object_set_new(json, "contexts", list) != 0 ||
        json_object_set_new(json, "current", current) != 0)
        bug("no contexts");
    char *text = json_text(NULL, json);
    bool saved =
        directory_make(path, err) && file_write(path, bytes_text(text), S_IRUSR | S_IWUSR, err);
    bytes_wipe(text, strlen(text));
    mem_free(text);
    return saved || err_context(err, "keeping the login in %s", path);
}

const struct context *contexts_find(const struct contexts *contexts, const char *server)
{
    const char *wanted = server ? server : contexts->current;
    for (size_t i = 0; wanted && i < contexts->count; i++)
        if (text_equal(contexts->items[i].server, wanted))
            return &contexts->items[i];
    return NULL;
}

void contexts_remove(struct contexts *contexts, const char *server)
{
    size_t kept = 0;
    for (size_t i = 0; i < contexts->count; i++)
        if (!text_equal(contexts->items[i].server, server))
            contexts->items[kept++] = contexts->items[i];
    contexts->count = kept;
    if (text_equal(contexts->current, server))
        contexts->current = NULL; /* never another server that nobody chose */
}

bool contexts_use(struct contexts *contexts, const char *server)
{
    const struct context *found = contexts_find(contexts, server);
    if (found)
        contexts->current = found->server;
    return found;
}

void contexts_put(void *owner, struct contexts *contexts, const struct context *context)
{
    contexts_remove(contexts, context->server);
    if (contexts->count == CONTEXTS_MAX) /* the oldest login goes */
        contexts_remove(contexts, contexts->items[0].server);
    contexts->items = mem_grow(owner, contexts->items, contexts->count + 1);
    contexts->items[contexts->count++] = *context;
    contexts->current = context->server;
}

/* A plain connection would show the token to everybody on its way. */
static bool is_this_machine(const char *authority)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t size = strlen(names[i]);
        if (text_starts(authority, names[i]) && (authority[size] == '\0' || authority[size] == ':'))
            return true;
    }
    return false;
}

bool server_normalise(void *owner, const char *text, char **out, struct err *err)
{
    bool is_plain = text_starts(text, "http://");
    const char *scheme = strstr(text, "://");
    const char *authority = scheme ? scheme + 3 : text;
    size_t size = strlen(authority);
    while (size > 0 && authority[size - 1] == '/')
        size--;
    if (scheme && !is_plain && !text_starts(text, "https://"))
        return err_set(err, ERR_BAD_INPUT, "%.100s is no https:// address", text);
    if (size == 0 || size > SERVER_LONGEST - 10)
        return err_set(err, ERR_BAD_INPUT,
                       "an address like https://mdm.example.org:8443 is wanted");
    for (size_t i = 0; i < size; i++)
        if (strchr("/?#@\\ ", authority[i]) || (unsigned char)authority[i] < 0x21)
            return err_set(err, ERR_BAD_INPUT, "only name and port belong in %.100s", text);
    if (is_plain && !is_this_machine(authority))
        return err_set(err, ERR_BAD_INPUT, "http:// would show the token to others: use https://");
    *out = mem_format(owner, "%s://%.*s", is_plain ? "http" : "https", (int)size, authority);
    return true;
}
