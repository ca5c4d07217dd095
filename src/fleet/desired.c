/* SPDX-License-Identifier: Apache-2.0 */
/* Desired state: what holds for a device, and the difference to what it has. */
#include "fleet/desired.h"

#include <string.h>

#include "codec/json.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/list.h"
#include "fleet/queue.h"
#include "fleet/resolved.h"
#include "fleet/shared.h"
#include "fleet/user_items.h"
#include "model/fact.h"
#include "model/platform.h"
#include "store/store.h"

static const struct json_limits content_limits = {262144, 2, 4096};

void fleet_set_rooms(struct fleet_shared *shared, fleet_unsupported *unsupported,
                     fleet_nearest *nearest)
{
    shared->unsupported = unsupported;
    shared->nearest = nearest;
}

/* ---- reading ---- */

static bool values_read(void *owner, const char *content, struct effective *out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    const char *name;
    json_t *value;
    if (!json_parse(bytes_text(content), &content_limits, &json, err))
        return false;
    struct setting_value *values =
        mem_array(owner, struct setting_value, json_object_size(json) + 1);
    json_object_foreach(json, name, value)
    {
        const struct setting *setting = setting_find(name);
        if (!setting)
            continue; /* a setting of a newer program: kept in the row, not used */
        values[out->count].id = setting_id_of(setting);
        if (!setting_value_parse(setting, json_string_value(value), &values[out->count].value, err))
            return err_context(err, "reading variant %s", out->variant_hash);
        out->count++;
    }
    out->values = values;
    return true;
}

static bool items_read(struct db *tx, void *owner, const char *device_id, struct effective *out,
                       struct err *err)
{
    struct enrolment enrolment = {0};
    bool found = false;
    void *items = NULL;
    if (!store_find(tx, owner, ASK(ENROLMENT_CURRENT, TEXT(device_id)), enrolment_fields,
                    &enrolment, &found, err))
        return false;
    if (!found)
        return true;
    if (!store_list(tx, owner, ASK(DELIVERED_LIST, TEXT(enrolment.id)), delivered_fields,
                    sizeof(struct delivered), &items, &out->item_count, err))
        return false;
    out->items = items;
    bool told = false; /* else nothing is known of declarations: zero */
    return store_find(tx, owner, ASK(DECLARATIVE_GET, TEXT(enrolment.id)), declarative_fields,
                      &out->declarative, &told, err);
}

struct about { /* the device of a row of DESIRED_BY_DEVICE */
    char *os_version, *organization;
    bool is_supervised, by_account;
};
static const struct field about_rows[] = {
    TEXT_FIELD(struct about, os_version, 0),
    TEXT_FIELD(struct about, organization, 0),
    BOOLEAN_FIELD(struct about, is_supervised, 0),
    BOOLEAN_FIELD(struct about, by_account, 0),
};

bool desired_load(struct db *tx, void *owner, const char *device_id, struct effective *out,
                  bool *found, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(DESIRED_BY_DEVICE, TEXT(device_id)), &rows, err))
        return false;
    *found = rows->count > 0;
    if (!*found)
        return true;
    struct about about = {0};
    if (!rows_read(rows, 0, FIELDS(about_rows), &about, err))
        return false;
    struct effective effective = {
        .device_id = mem_text(owner, device_id),
        .variant_hash = mem_text(owner, rows_text(rows, 0, "variant_hash")),
        .decisions = mem_text(owner, rows_text(rows, 0, "decisions")),
        .platform = name_find(platform_names, rows_text(rows, 0, "platform")),
        .changed_at = rows_integer(rows, 0, "changed_at"),
        .os_version = about.os_version,
        .is_supervised = about.is_supervised,
        .by_account = about.by_account,
        .organization = about.organization};
    if (!values_read(owner, rows_text(rows, 0, "content"), &effective, err) ||
        !items_read(tx, owner, device_id, &effective, err))
        return false;
    *out = effective;
    return true;
}

static bool may_read(const struct actor *actor, struct err *err)
{
    return actor->kind != ACTOR_ACCOUNT || fleet_need(actor, "device.read", err);
}

bool fleet_effective(struct fleet *fleet, const struct actor *actor, void *owner,
                     const char *device_id, struct effective *out, struct err *err)
{
    bool found = false;
    if (!may_read(actor, err) || !desired_load(fleet->db, owner, device_id, out, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "nothing was resolved for this device yet");
    out->device_url = fleet->settings->device_url;
    out->declared_profiles = fleet->settings->declared_profiles;
    out->roots = fleet->shared->roots;
    out->root_count = fleet->shared->root_count;
    return true;
}

bool fleet_effective_items(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *device_id, struct list *out, struct err *err)
{
    struct enrolment enrolment = {0};
    bool found = false;
    void *items = NULL;
    size_t count = 0;
    if (!may_read(actor, err) ||
        !store_find(fleet->db, owner, ASK(ENROLMENT_CURRENT, TEXT(device_id)), enrolment_fields,
                    &enrolment, &found, err))
        return false;
    if (found && !store_list(fleet->db, owner, ASK(DELIVERED_SHOWN, TEXT(enrolment.id)),
                             delivered_fields, sizeof(struct delivered), &items, &count, err))
        return false;
    *out = (struct list){.items = items, .count = count};
    return true;
}

/* ---- the difference ---- */

struct planning {
    void *owner;
    const char *device_id, *variant_hash;
    const struct wanted_item *items;
    size_t count;
    const char *declarations;
    int64_t now;
    struct enrolment enrolment;
    struct effective effective;
    bool is_new; /* this variant was not planned before */
};

static const struct wanted_item *wanted_find(const struct planning *p, const char *item)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].item, item) == 0)
            return &p->items[i];
    return NULL;
}

static const struct delivered *delivered_find(const struct planning *p, const char *item)
{
    for (size_t i = 0; i < p->effective.item_count; i++)
        if (strcmp(p->effective.items[i].item, item) == 0)
            return &p->effective.items[i];
    return NULL;
}

/* A plan for what was planned already changes nothing; a new one tries again what failed. What is
 * declared stays declared: the device tries by itself. */
static bool is_settled(const struct planning *p, const struct delivered *has)
{
    return !p->is_new || has->state != COMMAND_FAILED || has->carrier == CARRIER_DECLARATION;
}

static bool item_want(struct db *tx, const struct planning *p, const struct wanted_item *item,
                      struct err *err)
{
    const char *id = p->enrolment.id;
    return item->carrier == CARRIER_DECLARATION
               ? item_declare(tx, id, item->item, item->hash, p->now, err)
               : item_queue(tx, id, item->item, item->hash, p->now, err);
}

static bool plan_installs(struct db *tx, struct planning *p, struct err *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct delivered *has = delivered_find(p, p->items[i].item);
        if (p->items[i].carrier == CARRIER_USER_CHANNEL)
            continue; /* plan_people */
        if (has && has->wanted_hash && strcmp(has->wanted_hash, p->items[i].hash) == 0 &&
            is_settled(p, has))
            continue;
        if (!item_want(tx, p, &p->items[i], err))
            return false;
    }
    return true;
}

/* A declaration that the device did not fetch yet, or that it cannot be told about, just goes. */
static bool declared_unwanted(struct db *tx, const struct planning *p, const struct delivered *has,
                              struct err *err)
{
    bool is_unheard = has->state == COMMAND_QUEUED || has->state == COMMAND_SENT;
    const char *id = p->enrolment.id;
    if (is_unheard || !p->declarations)
        return store_change(tx, ASK(DELIVERED_DROP, TEXT(id), TEXT(has->item)), NULL, err);
    return item_declare(tx, id, has->item, NULL, p->now, err);
}

static bool plan_removals(struct db *tx, struct planning *p, struct err *err)
{
    for (size_t i = 0; i < p->effective.item_count; i++) {
        const struct delivered *has = &p->effective.items[i];
        if (has->carrier == CARRIER_USER_CHANNEL || wanted_find(p, has->item) ||
            (!has->wanted_hash && is_settled(p, has)))
            continue;
        if (!(has->carrier == CARRIER_DECLARATION
                  ? declared_unwanted(tx, p, has, err)
                  : item_unwant(tx, p->enrolment.id, has->item, p->now, err)))
            return false;
    }
    return true;
}

static bool plan_people(struct db *tx, const struct planning *p, struct err *err)
{
    const struct user_items wanted = {.enrolment = &p->enrolment,
                                      .items = p->items,
                                      .count = p->count,
                                      .has = p->effective.items,
                                      .has_count = p->effective.item_count,
                                      .again = p->is_new,
                                      .now = p->now};
    return user_items_plan(tx, &wanted, err);
}

/* Only where something changed is there something to tell. */
static bool plan_declarations(struct db *tx, const struct planning *p, struct err *err)
{
    int64_t changed = 0;
    const char *id = p->enrolment.id;
    if (!p->declarations)
        return true;
    return store_change(tx, ASK(DECLARATIVE_TELL, TEXT(id), TEXT(p->declarations), INTEGER(p->now)),
                        &changed, err) &&
           (changed == 0 || declare_queue(tx, id, p->declarations, p->now, err));
}

static bool plan_is_new(struct db *tx, struct planning *p, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, p->owner, ASK(DESIRED_BY_DEVICE, TEXT(p->device_id)), &rows, err))
        return false;
    const char *planned = rows->count ? rows_text(rows, 0, "planned_hash") : NULL;
    p->is_new = !planned || strcmp(planned, p->variant_hash) != 0;
    return true;
}

static bool plan_run(struct db *tx, void *context, struct err *err)
{
    struct planning *p = context;
    bool found = false, resolved = false;
    p->enrolment = (struct enrolment){0};
    p->effective = (struct effective){0};
    if (!store_find(tx, p->owner, ASK(ENROLMENT_CURRENT, TEXT(p->device_id)), enrolment_fields,
                    &p->enrolment, &found, err) ||
        !desired_load(tx, p->owner, p->device_id, &p->effective, &resolved, err))
        return false;
    if (!found || p->enrolment.state != ENROLMENT_ACTIVE || !resolved ||
        strcmp(p->effective.variant_hash, p->variant_hash) != 0)
        return true;
    if (!plan_is_new(tx, p, err))
        return false;
    return plan_installs(tx, p, err) && plan_removals(tx, p, err) && plan_people(tx, p, err) &&
           plan_declarations(tx, p, err) &&
           store_change(tx, ASK(DESIRED_PLANNED, TEXT(p->device_id), TEXT(p->variant_hash)), NULL,
                        err);
}

bool fleet_plan(struct fleet *fleet, const struct actor *actor, const char *device_id,
                const char *variant_hash, const struct wanted_item *items, size_t count,
                const char *declarations, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct planning planning = {.owner = owner,
                                .device_id = device_id,
                                .items = items,
                                .variant_hash = variant_hash,
                                .count = count,
                                .declarations = declarations,
                                .now = actor->now};
    struct change change = {.actor = actor, .work = plan_run, .context = &planning, .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return false;
    if (planning.enrolment.id)
        shared_forget(fleet->shared, planning.enrolment.id);
    return true;
}

bool fleet_unplanned(struct fleet *fleet, void *owner, const char *after, int64_t limit,
                     char ***device_ids, size_t *count, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(DESIRED_UNPLANNED, TEXT(after), INTEGER(limit)), &rows,
                    err))
        return false;
    char **ids = mem_array(owner, char *, rows->count + 1);
    for (size_t i = 0; i < rows->count; i++)
        ids[i] = mem_text(owner, rows_text(rows, i, "device_id"));
    *device_ids = ids;
    *count = rows->count;
    return true;
}

/* ---- facts and verdict ---- */

bool fleet_fact_list(struct fleet *fleet, const struct actor *actor, void *owner,
                     const char *device_id, struct list *out, struct err *err)
{
    void *facts = NULL;
    size_t count = 0;
    if (!may_read(actor, err) || !store_list(fleet->db, owner, ASK(FACT_LIST, TEXT(device_id)),
                                             fact_fields, sizeof(struct fact), &facts, &count, err))
        return false;
    *out = (struct list){.items = facts, .count = count};
    return true;
}

bool fleet_compliance_get(struct fleet *fleet, const struct actor *actor, void *owner,
                          const char *device_id, struct compliance_view *out, struct err *err)
{
    struct rows *rows = NULL;
    if (!may_read(actor, err) ||
        !store_rows(fleet->db, owner, ASK(COMPLIANCE_GET, TEXT(device_id)), &rows, err))
        return false;
    bool known = rows->count > 0;
    *out = (struct compliance_view){
        .state = mem_text(owner, known ? rows_text(rows, 0, "state") : "not_evaluated"),
        .results = mem_text(owner, known ? rows_text(rows, 0, "results") : "[]"),
        .since = known ? rows_integer(rows, 0, "since") : 0,
        .evaluated_at = known ? rows_integer(rows, 0, "evaluated_at") : 0};
    return true;
}
