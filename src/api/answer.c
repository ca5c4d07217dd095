/* SPDX-License-Identifier: Apache-2.0 */
#include "api/answer.h"

#include "base/text.h"

#define JSON_TYPE "application/json"
static const struct json_limits body_limits = {.size = 1 << 20, .depth = 8, .nodes = 20000};

struct page_query {
    int64_t limit;
    char *cursor;
};
static const struct field page_rows[] = {
    INTEGER_FIELD(struct page_query, limit, 0, .lowest = 1, .highest = LIST_LIMIT_MAX,
                  .help = "How many rows at most"),
    TEXT_FIELD(struct page_query, cursor, 0, .highest = 200,
               .help = "`next` of the page before this one"),
};
const struct fields page_fields = FIELDS(page_rows);

struct reason_wish {
    char *reason;
};
static const struct field reason_rows[] = {
    TEXT_FIELD(struct reason_wish, reason, 0, .highest = 500, .help = "Why: for the audit log"),
};
const struct fields reason_fields = FIELDS(reason_rows);

bool api_body(const struct request *request, void *target, uint64_t *present, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    return json_parse(request->body, &body_limits, &json, err) &&
           json_bind(request->owner, json, *request->route->takes, target, present, err);
}

bool api_body_reason(const struct request *request, struct actor *actor, struct err *err)
{
    struct reason_wish wish = {0};
    if (!api_body(request, &wish, NULL, err))
        return false;
    actor->reason = wish.reason;
    return true;
}

bool api_page(const struct request *request, struct page *out, struct err *err)
{
    const char *limit = request_query(request, "limit");
    *out = (struct page){.limit = LIST_LIMIT, .cursor = request_query(request, "cursor")};
    if (limit && !number_parse(bytes_text(limit), 1, LIST_LIMIT_MAX, &out->limit, err))
        return err_at(err, ERR_BAD_INPUT, "?limit", "limit must be 1 to %d", LIST_LIMIT_MAX);
    return true;
}

void api_reply_json(const struct request *request, struct reply *reply, int status, json_t *json)
{
    CLEANUP(json_decref_at) json_t *held = json;
    reply_bytes(reply, status, JSON_TYPE, bytes_text(json_text(request->owner, held)));
    reply_header(reply, "Cache-Control", "no-store");
}

void api_reply(const struct request *request, struct reply *reply, int status, struct fields fields,
               const void *item)
{
    api_reply_json(request, reply, status, json_from(fields, item));
}

void api_reply_list(const struct request *request, struct reply *reply, struct fields fields,
                    size_t item_size, const struct list *list)
{
    json_t *items = json_array();
    for (size_t i = 0; i < list->count; i++)
        if (json_array_append_new(
                items, json_from(fields, (const char *)list->items + i * item_size)) != 0)
            bug("no list");
    json_t *json = json_pack("{s:o, s:s?}", "items", items, "next", list->next);
    if (!json)
        bug("no list");
    api_reply_json(request, reply, 200, json);
}

json_t *api_stored(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_null();
    return json ? json : json_null();
}
