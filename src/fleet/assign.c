/* SPDX-License-Identifier: Apache-2.0 */
/* Assignments, and weighing the devices that a change concerns. */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/policy.h"
#include "fleet/resolved.h"
#include "store/store.h"

#define AGAIN_SECONDS 3600 /* until a device that could not be weighed is tried again */
#define RESOLVE_CHUNK 100  /* devices listed at a time */

struct assigning {
    void *owner;
    const struct actor *actor;
    const char *policy_id;
    struct assignment assignment;
};

static char *concerned(void *owner, const struct assignment *assignment)
{
    return assignment->device_id ? mem_format(owner, "device:%s", assignment->device_id)
                                 : mem_text(owner, "all");
}

static bool assign_run(struct db *tx, void *context, struct err *err)
{
    struct assigning *a = context;
    const struct assignment *assignment = &a->assignment;
    struct rows *rows = NULL;
    if (!store_rows(tx, a->owner,
                    ASK(ASSIGNMENT_SAME, TEXT(a->policy_id), TEXT(assignment->target),
                        TEXT(assignment->device_id)),
                    &rows, err))
        return false;
    if (rows->count > 0)
        return err_set(err, ERR_CONFLICT, "the policy is assigned there already");
    if (!store_change(tx,
                      ASK(ASSIGNMENT_INSERT, TEXT(assignment->id), TEXT(a->policy_id),
                          TEXT(assignment->target), TEXT(assignment->device_id),
                          INTEGER(assignment->band), INTEGER(a->actor->now), TEXT(a->actor->name)),
                      NULL, err))
        return err->kind == ERR_CONFLICT /* of two at once one wins */
                   ? err_set(err, ERR_CONFLICT, "the policy is assigned there already")
                   : false;
    return job_add(tx, "resolve", concerned(a->owner, assignment), a->actor->now, err);
}

static bool target_check(struct fleet *fleet, void *owner, struct assignment *assignment,
                         struct err *err)
{
    struct device device = {0};
    bool found = false;
    if (strcmp(assignment->target, "all") == 0 && !assignment->device_id)
        return true;
    if (strcmp(assignment->target, "device") != 0)
        return err_at(err, ERR_BAD_INPUT, "/target", "target must be all or device");
    if (!assignment->device_id)
        return err_at(err, ERR_BAD_INPUT, "/device_id", "which device?");
    if (!store_find(fleet->db, owner, ASK(DEVICE_BY_ID, TEXT(assignment->device_id)), device_fields,
                    &device, &found, err))
        return false;
    return found || err_at(err, ERR_BAD_INPUT, "/device_id", "no such device");
}

static char *assign_detail(void *owner, const struct assignment *assignment)
{
    return json_pairs(owner, "target", assignment->target, "device", assignment->device_id, NULL);
}

bool fleet_assignment_create(struct fleet *fleet, const struct actor *actor, void *owner,
                             const char *policy_id, const struct assignment *wish,
                             struct assignment *out, struct err *err)
{
    struct policy policy;
    struct assigning assigning = {.owner = owner, .actor = actor, .assignment = *wish};
    if (!fleet_need(actor, "policy.write", err) ||
        !fleet_policy_get(fleet, actor, owner, policy_id, &policy, err) ||
        !target_check(fleet, owner, &assigning.assignment, err))
        return false;
    assigning.policy_id = policy.id;
    assigning.assignment.id = id_make(owner);
    assigning.assignment.policy_id = policy.id;
    assigning.assignment.created_at = actor->now;
    assigning.assignment.created_by = mem_text(owner, actor->name);
    if (assigning.assignment.band == 0)
        assigning.assignment.band = ASSIGNMENT_BAND;
    struct change change = {.actor = actor,
                            .action = "policy.assign",
                            .subject_kind = "policy",
                            .subject_id = policy.id,
                            .detail = assign_detail(owner, &assigning.assignment),
                            .work = assign_run,
                            .context = &assigning,
                            .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = assigning.assignment;
    return true;
}

static bool unassign_run(struct db *tx, void *context, struct err *err)
{
    struct assigning *a = context;
    return store_change_one(tx, ASK(ASSIGNMENT_DELETE, TEXT(a->assignment.id), TEXT(a->policy_id)),
                            "the assignment was removed before", err) &&
           job_add(tx, "resolve", concerned(a->owner, &a->assignment), a->actor->now, err);
}

bool fleet_assignment_delete(struct fleet *fleet, const struct actor *actor, const char *policy_id,
                             const char *id, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct policy policy;
    struct assigning assigning = {.owner = owner, .actor = actor};
    const struct want want = {"assignment", assignment_fields};
    if (!fleet_need(actor, "policy.write", err) ||
        !fleet_policy_get(fleet, actor, owner, policy_id, &policy, err) ||
        !store_get(fleet->db, owner, ASK(ASSIGNMENT_BY_ID, TEXT(id)), want, &assigning.assignment,
                   err))
        return false;
    assigning.policy_id = policy.id;
    struct change change = {.actor = actor,
                            .action = "policy.unassign",
                            .subject_kind = "policy",
                            .subject_id = policy.id,
                            .detail = assign_detail(owner, &assigning.assignment),
                            .work = unassign_run,
                            .context = &assigning,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_assignment_list(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *policy_id, struct list *out, struct err *err)
{
    struct policy policy;
    void *items = NULL;
    size_t count = 0;
    if (!fleet_policy_get(fleet, actor, owner, policy_id, &policy, err) ||
        !store_list(fleet->db, owner, ASK(ASSIGNMENT_LIST, TEXT(policy.id)), assignment_fields,
                    sizeof(struct assignment), &items, &count, err))
        return false;
    *out = (struct list){.items = items, .count = count};
    return true;
}

/* ---- weighing ---- */

static bool resolve_run(struct db *tx, void *context, struct err *err)
{
    return device_resolve(tx, context, err);
}

static bool evaluate_run(struct db *tx, void *context, struct err *err)
{
    return device_evaluate(tx, context, err);
}

static bool weigh(struct fleet *fleet, const char *device_id, int64_t now, change_work *work,
                  struct err *err)
{
    struct actor actor = fleet_system_actor(now);
    struct resolving resolving = {.fleet = fleet, .device_id = device_id, .now = now};
    struct change change = {.actor = &actor, .work = work, .context = &resolving, .wakes = true};
    if (fleet_change(fleet, &change, err))
        return true;
    return err->kind == ERR_NOT_FOUND; /* the device was deleted meanwhile */
}

/* Is it this device's own trouble, so that the next one can be weighed? */
static bool is_of_device(const struct err *err)
{
    return err->kind != ERR_UNAVAILABLE;
}

struct unweighed { /* one device that could not be weighed */
    void *owner;
    const char *device_id, *reason;
    int64_t now;
};

/* Once a day the history of the device says so. */
static bool unweighed_event(struct db *tx, const struct unweighed *u, struct err *err)
{
    int64_t told = 0;
    return store_number(tx,
                        ASK(EVENT_COUNT_SINCE, TEXT(u->device_id), TEXT("device.unresolved"),
                            INTEGER(u->now - 24 * 3600)),
                        "count", &told, err) &&
           (told > 0 || event_add(tx, "device.unresolved", u->device_id,
                                  json_pairs(u->owner, "reason", u->reason, NULL), u->now, err));
}

static bool resolve_later_run(struct db *tx, void *context, struct err *err)
{
    const struct unweighed *u = context;
    return unweighed_event(tx, u, err) &&
           job_add(tx, "resolve", mem_format(u->owner, "device:%s", u->device_id),
                   u->now + AGAIN_SECONDS, err);
}

static bool evaluate_later_run(struct db *tx, void *context, struct err *err)
{
    const struct unweighed *u = context;
    return unweighed_event(tx, u, err) &&
           store_change(tx,
                        ASK(COMPLIANCE_DEFER, TEXT(u->device_id), INTEGER(u->now + AGAIN_SECONDS)),
                        NULL, err);
}

/* Weigh one of many: what is wrong with it is noted, and `later` sees to it that it comes again. */
static bool weigh_one_of(struct fleet *fleet, const char *device_id, int64_t now,
                         change_work *const works[2], struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor actor = fleet_system_actor(now);
    if (weigh(fleet, device_id, now, works[0], err))
        return true;
    if (!is_of_device(err))
        return false;
    struct unweighed unweighed = {owner, device_id, mem_text(owner, err->text), now};
    struct change change = {.actor = &actor, .work = works[1], .context = &unweighed};
    return fleet_change(fleet, &change, err);
}

static bool resolve_all(struct fleet *fleet, int64_t now, struct err *err)
{
    static change_work *const works[] = {resolve_run, resolve_later_run};
    char last[64] = "";
    for (;;) {
        CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
        struct rows *rows = NULL;
        if (!store_rows(fleet->db, owner,
                        ASK(DEVICE_IDS_AFTER, TEXT(*last ? last : NULL), INTEGER(RESOLVE_CHUNK)),
                        &rows, err))
            return false;
        for (size_t i = 0; i < rows->count; i++)
            if (!weigh_one_of(fleet, rows_text(rows, i, "id"), now, works, err))
                return false;
        if (rows->count < RESOLVE_CHUNK)
            return true;
        (void)snprintf(last, sizeof(last), "%s", rows_text(rows, rows->count - 1, "id"));
    }
}

bool fleet_resolve(struct fleet *fleet, const char *subject, int64_t now, struct err *err)
{
    if (text_starts(subject, "device:"))
        return weigh(fleet, subject + strlen("device:"), now, resolve_run, err);
    return resolve_all(fleet, now, err);
}

bool fleet_evaluate_due(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                        struct err *err)
{
    static change_work *const works[] = {evaluate_run, evaluate_later_run};
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(COMPLIANCE_DUE, INTEGER(now), INTEGER(limit)), &rows,
                    err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        if (!weigh_one_of(fleet, rows_text(rows, i, "device_id"), now, works, err))
            return false;
    *count = rows->count;
    return true;
}
