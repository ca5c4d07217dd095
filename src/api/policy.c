/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, their revisions and assignments, and the catalogue of settings. */
#include "fleet/policy.h"

#include <inttypes.h>

#include "api/answer.h"
#include "api/resources.h"
#include "base/text.h"
#include "policy/rule.h"
#include "policy/setting.h"

static bool reply_policy(const struct request *request, struct reply *reply, int status,
                         const struct policy *policy)
{
    api_reply(request, reply, status, policy_fields, policy);
    reply_header(reply, "ETag", mem_format(request->owner, "\"%" PRId64 "\"", policy->revision));
    return true;
}

/* If-Match: "<revision>"; 0 when the caller does not mind. */
static bool revision_wanted(const struct request *request, int64_t *out, struct err *err)
{
    const char *match = request_header(request, "If-Match");
    *out = 0;
    if (!match || text_equal(match, "*"))
        return true;
    struct bytes text = bytes_text(match);
    if (text.size < 3 || text.data[0] != '"' || text.data[text.size - 1] != '"' ||
        !number_parse((struct bytes){text.data + 1, text.size - 2}, 1, INT64_MAX, out, err))
        return err_set(err, ERR_PRECONDITION, "If-Match is no ETag of a policy");
    return true;
}

static bool policy_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct policy wish = {0}, policy;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_policy_create(api_fleet(request), &actor, request->owner, &wish, &policy, err))
        return false;
    reply_header(reply, "Location", mem_format(request->owner, API "/policies/%s", policy.id));
    return reply_policy(request, reply, 201, &policy);
}

static bool policy_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_policy_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, policy_fields, sizeof(struct policy), &list);
    return true;
}

static bool policy_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct policy policy;
    return fleet_policy_get(api_fleet(request), &actor, request->owner, request->params[0], &policy,
                            err) &&
           reply_policy(request, reply, 200, &policy);
}

static const struct field policy_change_rows[] = {
    TEXT_FIELD(struct policy, name, 0, .lowest = 1, .highest = 100, .help = "A new name"),
    TEXT_FIELD(struct policy, description, 0, .highest = 2000, .help = "What it is for"),
    RAW_FIELD(struct policy, settings, 0, .highest = 65536,
              .help = "All settings by name: what is missing here is no longer set"),
};
static const struct fields policy_change_fields = FIELDS(policy_change_rows);

static bool policy_update(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct policy wish = {0}, policy;
    return api_body(request, &wish, NULL, err) && revision_wanted(request, &wish.revision, err) &&
           fleet_policy_update(api_fleet(request), &actor, request->owner, request->params[0],
                               &wish, &policy, err) &&
           reply_policy(request, reply, 200, &policy);
}

static bool policy_delete(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    int64_t revision;
    if (!revision_wanted(request, &revision, err) ||
        !fleet_policy_delete(api_fleet(request), &actor, request->params[0], revision, err))
        return false;
    reply_empty(reply, 204);
    return true;
}

static bool policy_revisions(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct list list;
    if (!fleet_policy_revisions(api_fleet(request), &actor, request->owner, request->params[0],
                                &list, err))
        return false;
    api_reply_list(request, reply, policy_fields, sizeof(struct policy), &list);
    return true;
}

/* ---- assignments ---- */

static bool assignment_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct assignment wish = {0}, assignment;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_assignment_create(api_fleet(request), &actor, request->owner, request->params[0],
                                 &wish, &assignment, err))
        return false;
    api_reply(request, reply, 201, assignment_fields, &assignment);
    return true;
}

static bool assignment_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct list list;
    if (!fleet_assignment_list(api_fleet(request), &actor, request->owner, request->params[0],
                               &list, err))
        return false;
    api_reply_list(request, reply, assignment_fields, sizeof(struct assignment), &list);
    return true;
}

static bool assignment_delete(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    if (!fleet_assignment_delete(api_fleet(request), &actor, request->params[0], request->params[1],
                                 err))
        return false;
    reply_empty(reply, 204);
    return true;
}

/* ---- the catalogue ---- */

struct setting_view {
    char *name, *area, *title, *help, *unit, *type, *use, *stricter, *choices;
    char *range; /* JSON: {"lowest", "highest", "off"} of integers, else null */
};
static const struct field setting_view_rows[] = {
    TEXT_FIELD(struct setting_view, name, FIELD_READ_ONLY, .help = "Name"),
    TEXT_FIELD(struct setting_view, area, FIELD_READ_ONLY, .help = "Area"),
    TEXT_FIELD(struct setting_view, title, FIELD_READ_ONLY, .help = "Title"),
    TEXT_FIELD(struct setting_view, help, FIELD_READ_ONLY, .help = "What it does"),
    TEXT_FIELD(struct setting_view, unit, FIELD_READ_ONLY, .help = "Unit"),
    TEXT_FIELD(struct setting_view, type, FIELD_READ_ONLY,
               .help = "boolean, integer, choice, version, or time: of the device's own clock"),
    TEXT_FIELD(struct setting_view, use, FIELD_READ_ONLY,
               .help = "Where it may stand: configuration or compliance policies, or both"),
    RAW_FIELD(struct setting_view, range, FIELD_READ_ONLY,
              .help = "Integers: lowest, highest, and off: the value that means no limit"),
    RAW_FIELD(struct setting_view, choices, FIELD_READ_ONLY | FIELD_LIST,
              .help = "Choices, least strict first"),
    TEXT_FIELD(struct setting_view, stricter, FIELD_READ_ONLY, .help = "Which value is stricter"),
};
static const struct fields setting_view_fields = FIELDS(setting_view_rows);

static const char *const type_names[] = {"boolean", "integer", "choice", "version", "time"};
static const char *const rule_type_names[] = {"version", "boolean", "boolean", "integer"};
static const char *const stricter_names[] = {"higher", "lower", "true", "false", "later", "none"};

static char *text_of(const struct request *request, const char *text)
{
    return text ? mem_text(request->owner, text) : NULL;
}

static char *choices_of(const struct request *request, const char *const *choices)
{
    CLEANUP(json_decref_at) json_t *list = json_array();
    for (size_t i = 0; choices && choices[i]; i++)
        if (json_array_append_new(list, json_string(choices[i])) != 0)
            bug("no choices");
    return json_text(request->owner, list);
}

static char *range_of(const struct request *request, int64_t lowest, int64_t highest, int64_t off)
{
    CLEANUP(json_decref_at)
    json_t *range =
        json_pack("{s:I, s:I, s:o}", "lowest", (json_int_t)lowest, "highest", (json_int_t)highest,
                  "off", off < 0 ? json_null() : json_integer(off));
    if (!range)
        bug("no range");
    return json_text(request->owner, range);
}

static struct setting_view setting_show(const struct request *request, const struct setting *s)
{
    bool is_integer = s->type == SETTING_INTEGER;
    return (struct setting_view){
        .name = text_of(request, s->name),
        .area = text_of(request, s->area),
        .title = text_of(request, s->title),
        .help = text_of(request, s->help),
        .unit = text_of(request, s->unit),
        .type = text_of(request, type_names[s->type]),
        .use = text_of(request, s->compliance ? "both" : "configuration"),
        .stricter = text_of(request, stricter_names[s->rule]),
        .range = is_integer ? range_of(request, s->lowest, s->highest, s->off) : NULL,
        .choices = choices_of(request, s->choices)};
}

static struct setting_view rule_show(const struct request *request, const struct rule *r)
{
    bool is_integer = r->type == RULE_INTEGER;
    return (struct setting_view){.name = text_of(request, r->name),
                                 .area = text_of(request, r->area),
                                 .title = text_of(request, r->title),
                                 .help = text_of(request, r->help),
                                 .unit = text_of(request, r->unit),
                                 .type = text_of(request, rule_type_names[r->type]),
                                 .use = text_of(request, policy_kind_names[POLICY_COMPLIANCE]),
                                 .stricter = text_of(request, r->stricter),
                                 .range = is_integer ? range_of(request, r->lowest, r->highest, -1)
                                                     : NULL,
                                 .choices = choices_of(request, NULL)};
}

static bool setting_list(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    size_t count = 0;
    struct setting_view *views =
        mem_array(request->owner, struct setting_view, SETTING_COUNT + policy_rule_count);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        views[count++] = setting_show(request, &settings[i]);
    for (size_t i = 0; i < policy_rule_count; i++)
        views[count++] = rule_show(request, &policy_rules[i]);
    struct list list = {.items = views, .count = count};
    api_reply_list(request, reply, setting_view_fields, sizeof(struct setting_view), &list);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/settings",
     setting_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "setting_list",
     .summary = "List the settings that policies can hold",
     .permission = "policy.read",
     .gives = &setting_view_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/policies",
     policy_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "policy_list",
     .summary = "List policies",
     .permission = "policy.read",
     .gives = &policy_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/policies",
     policy_create,
     {need_account},
     DOOR_FRONT,
     131072,
     .name = "policy_create",
     .summary = "Make a policy",
     .permission = "policy.write",
     .takes = &policy_fields,
     .gives = &policy_fields,
     .flags = ROUTE_CREATES},
    {HTTP_GET,
     API "/policies/{policy}",
     policy_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "policy_get",
     .summary = "One policy, by id or name",
     .permission = "policy.read",
     .gives = &policy_fields},
    {HTTP_PUT,
     API "/policies/{policy}",
     policy_update,
     {need_account},
     DOOR_FRONT,
     131072,
     .name = "policy_update",
     .summary = "A new revision of a policy (If-Match: its ETag)",
     .permission = "policy.write",
     .takes = &policy_change_fields,
     .gives = &policy_fields},
    {HTTP_DELETE,
     API "/policies/{policy}",
     policy_delete,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "policy_delete",
     .summary = "Delete a policy: devices lose what it set",
     .permission = "policy.write"},
    {HTTP_GET,
     API "/policies/{policy}/revisions",
     policy_revisions,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "policy_revisions",
     .summary = "All revisions of a policy, newest first",
     .permission = "policy.read",
     .gives = &policy_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/policies/{policy}/assignments",
     assignment_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "assignment_list",
     .summary = "Whom a policy is for",
     .permission = "policy.read",
     .gives = &assignment_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/policies/{policy}/assignments",
     assignment_create,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "assignment_create",
     .summary = "Assign a policy",
     .permission = "policy.write",
     .takes = &assignment_fields,
     .gives = &assignment_fields,
     .flags = ROUTE_CREATES},
    {HTTP_DELETE,
     API "/policies/{policy}/assignments/{id}",
     assignment_delete,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "assignment_delete",
     .summary = "Take an assignment back",
     .permission = "policy.write"},
};
const struct routes policy_routes = {rows, COUNT(rows)};
