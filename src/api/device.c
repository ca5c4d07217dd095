/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: what they are, what holds for them, how they comply. */
#include "fleet/device.h"
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"
#include "base/text.h"
#include "fleet/block.h"
#include "fleet/declared.h"
#include "fleet/desired.h"
#include "fleet/user.h"
#include "model/fact.h"
#include "model/platform.h"
#include "policy/comply.h"

static const char *const yes_names[] = {"false", "true", NULL};
struct device_query {
    char *q;
    int compliance, left, shut_out;
    int64_t limit;
    char *cursor;
};
static const struct field device_query_rows[] = {
    TEXT_FIELD(struct device_query, q, 0, .help = "Part of a name, or a serial number or UDID"),
    ENUM_FIELD(struct device_query, compliance, 0, compliance_state_names,
               .help = "Only this compliance state"),
    ENUM_FIELD(struct device_query, left, 0, yes_names,
               .help = "true: those that left management, too"),
    ENUM_FIELD(struct device_query, shut_out, 0, yes_names,
               .help = "true: only those that are refused whenever they call"),
    INTEGER_FIELD(struct device_query, limit, 0, .lowest = 1, .highest = LIST_LIMIT_MAX,
                  .help = "How many rows at most"),
    TEXT_FIELD(struct device_query, cursor, 0, .help = "`next` of the page before this one"),
};
static const struct fields device_query_fields = FIELDS(device_query_rows);

static bool device_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device_filter filter = {.text = request_query(request, "q"),
                                   .compliance = request_query(request, "compliance"),
                                   .with_left = text_equal(request_query(request, "left"), "true"),
                                   .only_shut_out =
                                       text_equal(request_query(request, "shut_out"), "true")};
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_device_list(api_fleet(request), &actor, request->owner, &filter, &page, &list, err))
        return false;
    api_reply_list(request, reply, device_fields, sizeof(struct device), &list);
    return true;
}

/* The device that the route names, by id, serial number, UDID or name. */
bool api_device(const struct request *request, struct device *out, struct err *err)
{
    struct actor actor = api_actor(request);
    return fleet_device_get(api_fleet(request), &actor, request->owner, request->params[0], out,
                            err);
}

static bool device_get(struct request *request, struct reply *reply, struct err *err)
{
    struct device device;
    if (!api_device(request, &device, err))
        return false;
    api_reply(request, reply, 200, device_fields, &device);
    return true;
}

struct effective_view {
    char *device_id, *variant, *decisions, *items;
    int platform;
    int64_t changed_at;
};
static const struct field effective_rows[] = {
    TEXT_FIELD(struct effective_view, device_id, FIELD_READ_ONLY, .help = "Device"),
    TEXT_FIELD(struct effective_view, variant, FIELD_READ_ONLY,
               .help = "Equal for all devices for which the same holds"),
    ENUM_FIELD(struct effective_view, platform, FIELD_READ_ONLY, platform_names,
               .help = "Platform"),
    TIME_FIELD(struct effective_view, changed_at, FIELD_READ_ONLY, .help = "Since when"),
    RAW_FIELD(struct effective_view, decisions, FIELD_READ_ONLY | FIELD_LIST,
              .help = "One record per setting: value, rule, winner, losers, dropped"),
    RAW_FIELD(struct effective_view, items, FIELD_READ_ONLY | FIELD_LIST,
              .help = "What was delivered of it, and its state"),
};
static const struct fields effective_fields = FIELDS(effective_rows);

static char *items_json(const struct request *request, const struct list *items)
{
    CLEANUP(json_decref_at) json_t *list = json_array();
    const struct delivered *delivered = items->items;
    for (size_t i = 0; i < items->count; i++)
        if (json_array_append_new(list, json_from(delivered_fields, &delivered[i])) != 0)
            bug("no items");
    return json_text(request->owner, list);
}

/* Without explain=1 only what holds: setting, state and value. */
static char *decisions_short(const struct request *request, const char *decisions)
{
    static const char *const more[] = {"winner", "losers", "dropped", "rule"};
    CLEANUP(json_decref_at) json_t *list = api_stored(decisions);
    size_t index;
    json_t *decision;
    json_array_foreach(list, index, decision)
    {
        for (size_t i = 0; i < COUNT(more); i++)
            (void)json_object_del(decision, more[i]); /* not there: as wanted */
    }
    return json_text(request->owner, list);
}

static bool device_effective(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct effective effective;
    struct list items;
    if (!api_device(request, &device, err) ||
        !fleet_effective(api_fleet(request), &actor, request->owner, device.id, &effective, err) ||
        !fleet_effective_items(api_fleet(request), &actor, request->owner, device.id, &items, err))
        return false;
    if (!device.compliance) { /* it left: nothing is managed any more */
        effective.decisions = mem_text(request->owner, "[]");
        items.count = 0;
    }
    bool is_whole = text_equal(request_query(request, "explain"), "1");
    struct effective_view view = {
        .device_id = device.id,
        .variant = effective.variant_hash,
        .platform = effective.platform,
        .changed_at = effective.changed_at,
        .decisions = is_whole ? effective.decisions : decisions_short(request, effective.decisions),
        .items = items_json(request, &items)};
    api_reply(request, reply, 200, effective_fields, &view);
    return true;
}

static const struct field compliance_rows[] = {
    TEXT_FIELD(struct compliance_view, state, FIELD_READ_ONLY, .help = "Compliance state"),
    TIME_FIELD(struct compliance_view, since, FIELD_READ_ONLY, .help = "Since when"),
    TIME_FIELD(struct compliance_view, evaluated_at, FIELD_READ_ONLY,
               .help = "When it was last weighed"),
    RAW_FIELD(struct compliance_view, results, FIELD_READ_ONLY | FIELD_LIST,
              .help = "One record per rule: expected, actual, reason, remedy, evidence"),
};
static const struct fields compliance_fields = FIELDS(compliance_rows);

static bool device_compliance(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct compliance_view view;
    if (!api_device(request, &device, err) ||
        !fleet_compliance_get(api_fleet(request), &actor, request->owner, device.id, &view, err))
        return false;
    api_reply(request, reply, 200, compliance_fields, &view);
    return true;
}

static bool device_facts(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct list list;
    if (!api_device(request, &device, err) ||
        !fleet_fact_list(api_fleet(request), &actor, request->owner, device.id, &list, err))
        return false;
    api_reply_list(request, reply, fact_fields, sizeof(struct fact), &list);
    return true;
}

static bool device_declarations(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct list list;
    if (!api_device(request, &device, err) ||
        !fleet_declaration_list(api_fleet(request), &actor, request->owner, device.id, &list, err))
        return false;
    api_reply_list(request, reply, declaration_fields, sizeof(struct declaration), &list);
    return true;
}

/* ---- shut out, let in ---- */

static bool turn(struct request *request, struct reply *reply,
                 bool (*act)(struct fleet *, const struct actor *, const char *, struct err *),
                 struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    /* the permission first: what a device is called is not for everybody */
    if (!api_body_reason(request, &actor, err) || !fleet_need(&actor, "device.block", err) ||
        !api_device(request, &device, err) || !act(api_fleet(request), &actor, device.id, err) ||
        !api_device(request, &device, err))
        return false;
    api_reply(request, reply, 200, device_fields, &device);
    return true;
}

static bool device_block(struct request *request, struct reply *reply, struct err *err)
{
    return turn(request, reply, fleet_device_block, err);
}

static bool device_unblock(struct request *request, struct reply *reply, struct err *err)
{
    return turn(request, reply, fleet_device_unblock, err);
}

/* ---- whose it is ---- */

struct device_change {
    char *user, *reason;
};
static const struct field device_change_rows[] = {
    TEXT_FIELD(struct device_change, user, FIELD_REQUIRED, .highest = 254,
               .help = "Who carries it: a user's id, name, mail address; empty: nobody"),
    TEXT_FIELD(struct device_change, reason, 0, .highest = 500, .help = "Why: for the audit log"),
};
static const struct fields device_change_fields = FIELDS(device_change_rows);

static bool device_change(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device_change wish = {0};
    struct device device;
    if (!api_body(request, &wish, NULL, err) || !fleet_need(&actor, "device.set_user", err) ||
        !api_device(request, &device, err))
        return false;
    actor.reason = wish.reason;
    if (!fleet_device_set_user(api_fleet(request), &actor, &device, wish.user, err))
        return false;
    const char *id = device.id;
    if (!fleet_device_get(api_fleet(request), &actor, request->owner, id, &device, err))
        return false;
    api_reply(request, reply, 200, device_fields, &device);
    return true;
}

static const char *const bit_names[] = {"0", "1", NULL};
struct effective_query {
    int explain;
};
static const struct field effective_query_rows[] = {
    ENUM_FIELD(struct effective_query, explain, 0, bit_names,
               .help = "1: with winner, losers and rule of each setting"),
};
static const struct fields effective_query_fields = FIELDS(effective_query_rows);

static const struct route rows[] = {
    {HTTP_GET,
     API "/devices",
     device_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_list",
     .summary = "List devices",
     .permission = "device.read",
     .gives = &device_fields,
     .asks = &device_query_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/devices/{device}",
     device_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_get",
     .summary = "One device, by id, serial number, UDID or name",
     .permission = "device.read",
     .gives = &device_fields},
    {HTTP_PATCH,
     API "/devices/{device}",
     device_change,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "device_change",
     .summary = "Note who carries a device",
     .permission = "device.set_user",
     .takes = &device_change_fields,
     .gives = &device_fields},
    {HTTP_POST,
     API "/devices/{device}/block",
     device_block,
     {need_account},
     DOOR_FRONT,
     16384,
     .name = "device_block",
     .summary = "Shut a device out: no sessions, its certificates on hold",
     .permission = "device.block",
     .takes = &reason_fields,
     .gives = &device_fields},
    {HTTP_POST,
     API "/devices/{device}/unblock",
     device_unblock,
     {need_account},
     DOOR_FRONT,
     16384,
     .name = "device_unblock",
     .summary = "Let a blocked device in again",
     .permission = "device.block",
     .takes = &reason_fields,
     .gives = &device_fields},
    {HTTP_GET,
     API "/devices/{device}/effective",
     device_effective,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_effective",
     .summary = "What holds for a device, and why",
     .permission = "device.read",
     .gives = &effective_fields,
     .asks = &effective_query_fields},
    {HTTP_GET,
     API "/devices/{device}/compliance",
     device_compliance,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_compliance",
     .summary = "Whether a device complies, and why",
     .permission = "device.read",
     .gives = &compliance_fields},
    {HTTP_GET,
     API "/devices/{device}/facts",
     device_facts,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_facts",
     .summary = "What a device reported",
     .permission = "device.read",
     .gives = &fact_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/devices/{device}/declarations",
     device_declarations,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_declarations",
     .summary = "What a device that fetches its settings by itself says of them",
     .permission = "device.read",
     .gives = &declaration_fields,
     .flags = ROUTE_GIVES_LIST},
};
const struct routes device_routes = {rows, COUNT(rows)};
