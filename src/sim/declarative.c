/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/declarative.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/channel.h"
#include "sim/declared.h"
#include "sim/legacy.h"

#define LONGEST 64 /* bytes of Identifier and ServerToken */
#define ITEMS_MAX 1000

static const struct json_limits limits = {.size = 1 << 20, .depth = 16, .nodes = 20000};

struct talk {
    struct phone *phone;
    void *scratch;
    json_t *report;
};

/* ---- messages ---- */

static bool ask(const struct talk *talk, const char *endpoint, struct bytes data,
                struct web_reply *out, struct err *err)
{
    struct plist *message = channel_message(talk->scratch, talk->phone, "DeclarativeManagement");
    struct bytes body;
    plist_set_text(message, "Endpoint", endpoint);
    if (data.data)
        plist_set_data(message, "Data", data);
    if (!channel_render(talk->scratch, message, &body, err) ||
        !channel_check_in(talk->phone, talk->scratch, "DeclarativeManagement", body, out, err))
        return false;
    report_message(talk->report, endpoint, out->status);
    return out->status == 200 || err_set(err, out->status == 503 ? ERR_UNAVAILABLE : ERR_FORBIDDEN,
                                         "the server answered %s with %d", endpoint, out->status);
}

static bool fetch(const struct talk *talk, const char *endpoint, json_t **out, struct err *err)
{
    struct web_reply reply;
    if (!ask(talk, endpoint, NO_BYTES, &reply, err))
        return false;
    if (!reply.content_type || !text_starts(reply.content_type, "application/json"))
        return err_set(err, ERR_BAD_INPUT, "%s: the answer is no JSON", endpoint);
    return json_parse(reply.body, &limits, out, err) || err_context(err, "%s", endpoint);
}

static const char *need(const json_t *object, const char *name, struct err *err)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text && *text && strlen(text) <= LONGEST)
        return text;
    err_at(err, ERR_BAD_INPUT, name, "%s is missing, or longer than %d bytes", name, LONGEST);
    return NULL;
}

/* ---- fetching ---- */

static bool tokens_read(const struct talk *talk, const char *text, char **out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (text ? !json_parse(bytes_text(text), &limits, &json, err)
             : !fetch(talk, "tokens", &json, err))
        return false;
    const json_t *tokens = json_object_get(json, "SyncTokens");
    const char *token = need(tokens, "DeclarationsToken", err);
    if (!token || !need(tokens, "Timestamp", err))
        return false;
    *out = mem_text(talk->scratch, token);
    return true;
}

static const struct fetched *fetched_find(const struct phone *phone, const struct fetched *like)
{
    for (size_t i = 0; i < phone->fetched_count; i++) {
        const struct fetched *one = &phone->fetched[i];
        if (text_equal(one->kind, like->kind) && text_equal(one->identifier, like->identifier) &&
            text_equal(one->token, like->token))
            return one;
    }
    return NULL;
}

static bool declaration_fetch(const struct talk *talk, struct fetched *one, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    const char *endpoint =
        mem_format(talk->scratch, "declaration/%s/%s", one->kind, one->identifier);
    if (!fetch(talk, endpoint, &json, err))
        return false;
    if (!text_equal(json_string_value(json_object_get(json, "Identifier")), one->identifier) ||
        !text_equal(json_string_value(json_object_get(json, "ServerToken")), one->token) ||
        !json_is_string(json_object_get(json, "Type")) ||
        !json_is_object(json_object_get(json, "Payload")))
        return err_set(err, ERR_BAD_INPUT, "%s is not what was announced", endpoint);
    one->text = json_canonical(talk->phone, json);
    return true;
}

static bool group_fetch(const struct talk *talk, const char *kind, const json_t *entries,
                        struct fetched *list, size_t *count, struct err *err)
{
    for (size_t i = 0; i < json_array_size(entries) && *count < ITEMS_MAX; i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *identifier = need(entry, "Identifier", err);
        const char *token = identifier ? need(entry, "ServerToken", err) : NULL;
        if (!token)
            return false;
        struct fetched *one = &list[(*count)++];
        *one = (struct fetched){.kind = mem_text(talk->phone, kind),
                                .identifier = mem_text(talk->phone, identifier),
                                .token = mem_text(talk->phone, token)};
        const struct fetched *had = fetched_find(talk->phone, one);
        if (had)
            one->text = had->text;
        else if (!declaration_fetch(talk, one, err))
            return false;
    }
    return true;
}

static bool items_fetch(const struct talk *talk, struct err *err)
{
    static const char *const names[] = {"Activations", "Configurations", "Assets", "Management"};
    struct phone *phone = talk->phone;
    struct fetched *list = mem_array(phone, struct fetched, ITEMS_MAX);
    size_t count = 0;
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (!fetch(talk, "declaration-items", &json, err))
        return false;
    const json_t *groups = json_object_get(json, "Declarations");
    const char *token = need(json, "DeclarationsToken", err);
    if (!token)
        return false;
    for (size_t i = 0; i < COUNT(names); i++) {
        const json_t *entries = json_object_get(groups, names[i]);
        if (!json_is_array(entries))
            return err_at(err, ERR_BAD_INPUT, names[i], "declaration-items lack %s", names[i]);
        if (!group_fetch(talk, declared_kinds[i], entries, list, &count, err))
            return false;
    }
    legacy_take_over(phone, list, count);
    phone->fetched = list;
    phone->fetched_count = count;
    phone->declarative.token = mem_text(phone, token);
    return true;
}

static bool synchronise(const struct talk *talk, struct err *err)
{
    struct declarative *declarative = &talk->phone->declarative;
    char *token = NULL;
    if (!tokens_read(talk, declarative->offered, &token, err))
        return false;
    if (!text_equal(token, declarative->token) && !items_fetch(talk, err))
        return false;
    declarative->is_due = false;
    declarative->offered = NULL;
    return true;
}

/* ---- reporting ---- */

/* Put value at "a.b.c": objects in objects. */
static void nest(json_t *object, const char *path, json_t *value)
{
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, path);
    char *rest = copy;
    for (char *name; (name = strsep(&rest, ".")) != NULL;) {
        if (!rest) {
            json_object_set(object, name, value);
            return;
        }
        json_t *inner = json_object_get(object, name);
        if (!inner) {
            inner = json_object();
            json_object_set_new(object, name, inner);
        }
        object = inner;
    }
}

static const char *group_of(const char *name)
{
    for (size_t i = 0; declared_kinds[i]; i++)
        if (text_starts(name, declared_kinds[i]) && name[strlen(declared_kinds[i])] == '/')
            return declared_groups[i];
    return declared_groups[0];
}

/* What is new in `now` against `before`, and what is gone. New reference; NULL: nothing. */
static json_t *states_changed(const json_t *before, const json_t *now)
{
    json_t *groups = json_object();
    bool is_changed = false;
    const char *name;
    json_t *value;
    for (size_t i = 0; declared_groups[i]; i++)
        json_object_set_new(groups, declared_groups[i], json_array());
    json_object_foreach((json_t *)(uintptr_t)now, name, value)
    {
        if (json_equal(json_object_get(before, name), value))
            continue;
        json_array_append(json_object_get(groups, group_of(name)), value);
        is_changed = true;
    }
    json_object_foreach((json_t *)(uintptr_t)before, name, value)
    {
        if (json_object_get(now, name))
            continue;
        json_array_append_new(json_object_get(groups, group_of(name)),
                              json_pack("{s:O, s:b}", "identifier",
                                        json_object_get(value, "identifier"), "_removed", 1));
        is_changed = true;
    }
    if (is_changed)
        return groups;
    json_decref(groups);
    return NULL;
}

/* The items of a report: those that changed since `reported`. */
static json_t *items_changed(const json_t *reported, const json_t *values, const json_t *states)
{
    json_t *items = json_object();
    const json_t *before = json_object_get(reported, "values");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        if (!json_equal(json_object_get(before, name), value))
            nest(items, name, value);
    }
    CLEANUP(json_decref_at)
    json_t *changed = states_changed(json_object_get(reported, "states"), states);
    if (changed)
        nest(items, "management.declarations", changed);
    return items;
}

static bool status_send(const struct talk *talk, json_t *items, json_t *errors, struct err *err)
{
    CLEANUP(json_decref_at)
    json_t *status = json_pack("{s:O, s:O}", "StatusItems", items, "Errors", errors);
    struct web_reply reply;
    if (talk->report) {
        json_t *list = json_object_get(talk->report, "status_reports");
        if (!list) {
            list = json_array();
            json_object_set_new(talk->report, "status_reports", list);
        }
        json_array_append(list, status);
    }
    return ask(talk, "status", bytes_text(json_text(talk->scratch, status)), &reply, err);
}

static bool status_report(const struct talk *talk, struct err *err)
{
    struct phone *phone = talk->phone;
    CLEANUP(json_decref_at) json_t *reported = NULL;
    CLEANUP(json_decref_at) json_t *errors = json_array();
    CLEANUP(json_decref_at) json_t *values = declared_values(phone, errors);
    CLEANUP(json_decref_at) json_t *states = declared_states(phone);
    if (phone->declarative.reported &&
        !json_parse(bytes_text(phone->declarative.reported), &limits, &reported, err))
        return false;
    CLEANUP(json_decref_at) json_t *items = items_changed(reported, values, states);
    if (json_object_size(items) == 0)
        return true;
    if (!status_send(talk, items, errors, err))
        return false;
    CLEANUP(json_decref_at)
    json_t *now = json_pack("{s:O, s:O}", "values", values, "states", states);
    phone->declarative.reported = json_canonical(phone, now);
    return true;
}

/* ---- updates ---- */

/* The clock of a simulated phone shows UTC. What is told to be there by a time is there then. */
static void update_make(struct phone *phone)
{
    CLEANUP(json_decref_at) json_t *wish = declared_update(phone);
    const char *by = json_string_value(json_object_get(wish, "TargetLocalDateTime"));
    CLEANUP(mem_free_at) char *now = time_local_text(NULL, clock_now());
    if (!by || strcmp(now, by) < 0)
        return;
    model_os_install(phone, &phone->model,
                     json_string_value(json_object_get(wish, "TargetOSVersion")));
}

/* ---- from outside ---- */

void declarative_begin(struct phone *phone, struct bytes tokens)
{
    phone->declarative.is_on = true;
    phone->declarative.is_due = true;
    phone->declarative.offered = tokens.data ? bytes_to_text(phone, tokens) : NULL;
}

bool declarative_settle(struct phone *phone, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    const struct talk talk = {phone, scratch, report};
    if (!phone->declarative.is_on)
        return true;
    if ((phone->declarative.is_due && !synchronise(&talk, err)) ||
        !legacy_settle(phone, report, err))
        return false;
    update_make(phone);
    return status_report(&talk, err) && phone_save(phone, err);
}
