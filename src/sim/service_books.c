/* SPDX-License-Identifier: Apache-2.0 */
/* The books of the simulated service: devices by pages, changes by cursor, profiles. */
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "sim/service.h"

#define ASSIGN_MAX 1000
#define NAME_LONGEST 125

static const struct json_limits limits = {(size_t)4 << 20, 8, 100000};

void answer_json(const struct incoming *in, struct outgoing *out, int status, json_t *json)
{
    CLEANUP(json_decref_at) json_t *held = json;
    out->status = status;
    out->body = bytes_text(json_text(in->owner, held));
}

void answer_word(struct outgoing *out, int status, const char *word)
{
    out->status = status;
    out->type = "text/plain;charset=UTF8";
    out->body = bytes_text(word);
}

/* New reference, or NULL after an answer. */
static json_t *body_take(const struct incoming *in, struct outgoing *out)
{
    json_t *json = NULL;
    struct err ignored;
    if (json_parse(in->body, &limits, &json, &ignored) && json_is_object(json))
        return json;
    json_decref(json);
    answer_word(out, 400, "MALFORMED_REQUEST_BODY");
    return NULL;
}

static json_t *device_find(const struct service *service, const char *serial)
{
    size_t i;
    json_t *device;
    json_array_foreach(service->devices, i, device)
    {
        if (text_equal(json_string_value(json_object_get(device, "serial_number")), serial))
            return device;
    }
    return NULL;
}

static json_t *now_text(const struct incoming *in, const struct service *service)
{
    return json_string(time_text(in->owner, service->now));
}

static void change_note(struct service *service, const struct incoming *in, const char *serial,
                        const char *act)
{
    json_array_append_new(service->changes,
                          json_pack("{s:s, s:s, s:o}", "serial_number", serial, "op_type", act,
                                    "op_date", now_text(in, service)));
}

void books_account(void *context, const struct incoming *in, struct outgoing *out)
{
    const struct service *service = context;
    answer_json(in, out, 200, json_incref(service->account));
}

/* ---- pages ---- */

struct cursor { /* "f.<generation>.<changes before>.<offset>" or "s.<generation>.<offset>.0" */
    char kind;
    int64_t generation, first, second;
};

static bool number_next(char **rest, int64_t *out)
{
    struct err ignored;
    const char *part = strsep(rest, ".");
    return part && number_parse(bytes_text(part), 0, INT64_MAX, out, &ignored);
}

static bool cursor_parse(void *owner, const char *text, struct cursor *out)
{
    char *rest = mem_text(owner, text);
    const char *kind = strsep(&rest, ".");
    out->kind = kind ? *kind : '\0';
    return kind && strlen(kind) == 1 && number_next(&rest, &out->generation) &&
           number_next(&rest, &out->first) && number_next(&rest, &out->second) && !rest;
}

static json_t *cursor_make(const struct incoming *in, const struct service *service, char kind,
                           int64_t first, int64_t second)
{
    return json_string(mem_format(in->owner, "%c.%lld.%lld.%lld", kind,
                                  (long long)service->generation, (long long)first,
                                  (long long)second));
}

/* What was asked for; false: answered. *has false: without a cursor. */
static bool page_ask(const struct service *service, const struct incoming *in, char kind,
                     struct cursor *cursor, bool *has, struct outgoing *out)
{
    CLEANUP(json_decref_at) json_t *body = body_take(in, out);
    if (!body)
        return false;
    const char *text = json_string_value(json_object_get(body, "cursor"));
    const json_t *limit = json_object_get(body, "limit");
    if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 ||
                  json_integer_value(limit) > 1000)) {
        answer_word(out, 400, "MALFORMED_REQUEST_BODY");
        return false;
    }
    *has = text;
    const char *problem = NULL;
    if (text && !cursor_parse(in->owner, text, cursor))
        problem = "INVALID_CURSOR";
    else if (text && cursor->generation != service->generation)
        problem = "EXPIRED_CURSOR";
    else if (text && cursor->kind != kind)
        problem = kind == 'f' ? "EXHAUSTED_CURSOR" : "INVALID_CURSOR";
    else if (!text && kind == 's')
        problem = "CURSOR_REQUIRED";
    if (problem)
        answer_word(out, 400, problem);
    return !problem;
}

static void page_answer(const struct incoming *in, const struct service *service, json_t *devices,
                        json_t *cursor, bool more, struct outgoing *out)
{
    answer_json(in, out, 200,
                json_pack("{s:o, s:o, s:o, s:b}", "devices", devices, "cursor", cursor,
                          "fetched_until", now_text(in, service), "more_to_follow", more));
}

void books_fetch(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    struct cursor cursor = {.first = (int64_t)json_array_size(service->changes)};
    bool has = false;
    if (!page_ask(service, in, 'f', &cursor, &has, out))
        return;
    json_t *page = json_array();
    size_t at = (size_t)cursor.second;
    for (; at < json_array_size(service->devices) &&
           json_array_size(page) < (size_t)service->page_size;
         at++)
        json_array_append(page, json_array_get(service->devices, at));
    bool more = at < json_array_size(service->devices);
    page_answer(in, service, page,
                more ? cursor_make(in, service, 'f', cursor.first, (int64_t)at)
                     : cursor_make(in, service, 's', cursor.first, 0),
                more, out);
}

void books_sync(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    struct cursor cursor = {0};
    bool has = false;
    if (!page_ask(service, in, 's', &cursor, &has, out))
        return;
    json_t *page = json_array();
    size_t at = (size_t)cursor.first;
    for (; at < json_array_size(service->changes) &&
           json_array_size(page) < (size_t)service->page_size;
         at++) {
        const json_t *change = json_array_get(service->changes, at);
        const json_t *device =
            device_find(service, json_string_value(json_object_get(change, "serial_number")));
        json_t *record = device ? json_copy((json_t *)(uintptr_t)device) : json_object();
        json_object_update(record, (json_t *)(uintptr_t)change);
        json_array_append_new(page, record);
    }
    page_answer(in, service, page, cursor_make(in, service, 's', (int64_t)at, 0),
                at < json_array_size(service->changes), out);
}

/* ---- profiles ---- */

static bool profile_fits(const json_t *profile)
{
    const char *name = json_string_value(json_object_get(profile, "profile_name"));
    const char *url = json_string_value(json_object_get(profile, "url"));
    const json_t *removable = json_object_get(profile, "is_mdm_removable");
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(profile, "skip_setup_items"), i, step)
    {
        if (!json_is_string(step))
            return false;
    }
    /* Apple: what cannot be removed has to be supervised */
    return name && *name && strlen(name) <= NAME_LONGEST && url && text_starts(url, "https://") &&
           (!json_is_false(removable) || json_is_true(json_object_get(profile, "is_supervised")));
}

void books_define(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    json_t *profile = body_take(in, out);
    if (!profile)
        return;
    if (!profile_fits(profile)) {
        json_decref(profile);
        answer_word(out, 400, "CONFIG_NAME_INVALID");
        return;
    }
    char *uuid = id_make_upper(in->owner);
    json_object_set_new(service->profiles, uuid, profile);
    answer_json(in, out, 200, json_pack("{s:s, s:{}}", "profile_uuid", uuid, "devices"));
}

static const char *profile_give(struct service *service, const struct incoming *in,
                                const char *serial, const char *uuid)
{
    json_t *device = device_find(service, serial);
    if (!device || json_is_true(json_object_get(device, "sim_inaccessible")))
        return "NOT_ACCESSIBLE";
    if (json_is_true(json_object_get(device, "sim_fails")))
        return "FAILED";
    json_object_set_new(device, "profile_status", json_string(uuid ? "assigned" : "removed"));
    if (uuid) {
        json_object_set_new(device, "profile_uuid", json_string(uuid));
        json_object_set_new(device, "profile_assign_time", now_text(in, service));
    } else {
        json_object_del(device, "profile_uuid");
    }
    json_object_del(device, "profile_push_time");
    change_note(service, in, serial, "modified");
    return "SUCCESS";
}

static void profiles_give(struct service *service, const struct incoming *in, bool takes_away,
                          struct outgoing *out)
{
    CLEANUP(json_decref_at) json_t *body = body_take(in, out);
    if (!body)
        return;
    const char *uuid = json_string_value(json_object_get(body, "profile_uuid"));
    const json_t *serials = json_object_get(body, "devices");
    if (!json_is_array(serials) || json_array_size(serials) > ASSIGN_MAX) {
        answer_word(out, 400, "DEVICE_ID_REQUIRED");
        return;
    }
    if (!takes_away && (!uuid || !json_object_get(service->profiles, uuid))) {
        answer_word(out, 404, "NOT_FOUND");
        return;
    }
    json_t *results = json_object();
    for (size_t i = 0; i < json_array_size(serials); i++) {
        const char *serial = json_string_value(json_array_get(serials, i));
        json_object_set_new(
            results, serial ? serial : "",
            json_string(profile_give(service, in, serial, takes_away ? NULL : uuid)));
    }
    answer_json(in, out, 200, json_pack("{s:s?, s:o}", "profile_uuid", uuid, "devices", results));
}

void books_assign(void *context, const struct incoming *in, struct outgoing *out)
{
    profiles_give(context, in, false, out);
}

void books_unassign(void *context, const struct incoming *in, struct outgoing *out)
{
    profiles_give(context, in, true, out);
}

/* ---- what tests and phones ask ---- */

void books_add(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    CLEANUP(json_decref_at) json_t *body = body_take(in, out);
    if (!body)
        return;
    size_t i;
    json_t *wish;
    json_array_foreach(json_object_get(body, "devices"), i, wish)
    {
        const char *serial = json_string_value(json_object_get(wish, "serial_number"));
        json_t *known = device_find(service, serial);
        if (known) {
            json_object_update(known, wish);
        } else {
            json_t *device =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "model", "iPhone 14", "description",
                          "IPHONE 14 BLACK 128GB", "device_family", "iPhone", "os", "iOS",
                          "profile_status", "empty", "device_assigned_date", now_text(in, service));
            json_object_update(device, wish);
            json_array_append_new(service->devices, device);
        }
        change_note(service, in, serial, known ? "modified" : "added");
    }
    answer_json(in, out, 200, json_pack("{s:b}", "ok", 1));
}

void books_remove(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    const char *serial = uri_query_get(&in->query, "serial");
    size_t i;
    json_t *device;
    json_array_foreach(service->devices, i, device)
    {
        if (text_equal(json_string_value(json_object_get(device, "serial_number")), serial)) {
            change_note(service, in, serial, "deleted");
            json_array_remove(service->devices, i);
            break;
        }
    }
    answer_json(in, out, 200, json_pack("{s:b}", "ok", 1));
}

/* A device that is switched on asks Apple what to do. */
void books_activation(void *context, const struct incoming *in, struct outgoing *out)
{
    struct service *service = context;
    const char *serial = uri_query_get(&in->query, "serial");
    json_t *device = device_find(service, serial);
    const char *uuid = json_string_value(json_object_get(device, "profile_uuid"));
    json_t *profile = uuid ? json_object_get(service->profiles, uuid) : NULL;
    if (!profile) {
        answer_word(out, 404, "NOT_FOUND");
        return;
    }
    json_object_set_new(device, "profile_status", json_string("pushed"));
    json_object_set_new(device, "profile_push_time", now_text(in, service));
    change_note(service, in, serial, "modified");
    answer_json(in, out, 200, json_incref(profile));
}
