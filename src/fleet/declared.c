/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/declared.h"

#include <stdio.h>
#include <string.h>

#include "fleet/carrier.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/queue.h"
#include "fleet/saved.h"
#include "fleet/shared.h"
#include "store/store.h"

#define KINDS_SIZE 80 /* all their names */

static bool plan_anew(struct db *tx, const struct identity *identity, int64_t now, struct err *err)
{
    return store_change(tx, ASK(DESIRED_UNPLAN, TEXT(identity->device_id)), NULL, err) &&
           job_add(tx, "plan", "all", now, err);
}

bool carriers_settle(struct db *tx, const struct identity *identity, int64_t now, bool *replan,
                     struct err *err)
{
    int64_t changed = 0;
    if (!store_change(
            tx, ASK(DESIRED_UNPLAN_MIXED, TEXT(identity->device_id), TEXT(identity->enrolment_id)),
            &changed, err))
        return false;
    if (changed == 0)
        return true;
    *replan = true;
    return job_add(tx, "plan", "all", now, err);
}

bool declare_failed(struct db *tx, const struct identity *identity,
                    const struct command_result *result, int64_t now, struct err *err)
{
    const char *id = identity->enrolment_id;
    if (!result->is_unknown)
        return store_change(tx,
                            ASK(DELIVERED_UNTOLD, TEXT(id), TEXT(result->reason),
                                TEXT(result->remedy), INTEGER(now)),
                            NULL, err);
    return store_change(
               tx, ASK(DECLARATIVE_REFUSED, TEXT(id), TEXT(identity->os_version), INTEGER(now)),
               NULL, err) &&
           plan_anew(tx, identity, now, err);
}

/* ---- a report ---- */

struct reporting {
    void *owner;
    struct fleet *fleet;
    const struct identity *identity;
    const struct declared_report *report;
    int64_t now;
    bool replan;
};

static bool able_save(struct db *tx, struct reporting *r, struct err *err)
{
    int64_t changed = 0;
    if (!r->report->capabilities)
        return true;
    if (!store_change(tx,
                      ASK(DECLARATIVE_ABLE, TEXT(r->identity->enrolment_id),
                          TEXT(r->report->capabilities), INTEGER(r->now)),
                      &changed, err))
        return false;
    if (changed == 0)
        return true;
    r->replan = true;
    return plan_anew(tx, r->identity, r->now, err);
}

static bool declared_save(struct db *tx, const struct reporting *r, const struct declared *declared,
                          struct err *err)
{
    const struct declaration *d = &declared->declaration;
    const char *id = r->identity->enrolment_id, *kind = declaration_kind_names[d->kind];
    if (declared->is_removed)
        return store_change(tx, ASK(DECLARATION_DROP, TEXT(id), TEXT(kind), TEXT(d->identifier)),
                            NULL, err);
    return store_change(tx,
                        ASK(DECLARATION_SET, TEXT(id), TEXT(kind), TEXT(d->identifier),
                            TEXT(d->token), INTEGER(d->is_active),
                            TEXT(declaration_validity_names[d->validity]), TEXT(d->reason),
                            TEXT(d->remedy), INTEGER(r->now)),
                        NULL, err);
}

/* What a full report leaves out is gone. */
static bool declarations_clear(struct db *tx, const struct reporting *r, struct err *err)
{
    struct buffer kinds;
    if (!r->report->is_full)
        return true;
    buffer_init(&kinds, r->owner, KINDS_SIZE);
    buffer_text(&kinds, " ");
    for (unsigned i = 0; declaration_kind_names[i]; i++)
        if (r->report->named_kinds & 1U << i)
            buffer_format(&kinds, "%s ", declaration_kind_names[i]);
    return store_change(
        tx, ASK(DECLARATION_CLEAR, TEXT(r->identity->enrolment_id), TEXT(buffer_string(&kinds))),
        NULL, err);
}

static bool declarations_save(struct db *tx, const struct reporting *r, struct err *err)
{
    int64_t count = 0;
    if (!declarations_clear(tx, r, err) ||
        !store_number(tx, ASK(DECLARATION_COUNT, TEXT(r->identity->enrolment_id)), "count", &count,
                      err))
        return false;
    for (size_t i = 0; i < r->report->count && count + (int64_t)i < DECLARED_MOST; i++)
        if (!declared_save(tx, r, &r->report->declared[i], err))
            return false;
    return true;
}

/* ---- what it means for the items of the effective set ---- */

static const struct declared *declared_find(const struct declared_report *report, const char *item)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->declared[i].item && strcmp(report->declared[i].item, item) == 0)
            return &report->declared[i];
    return NULL;
}

struct turn { /* of an item */
    enum command_state state;
    const char *hash, *reason, *remedy;
};

static bool item_turn(struct db *tx, const struct reporting *r, const struct delivered *row,
                      const struct turn *turn, struct err *err)
{
    return store_change(tx,
                        ASK(DELIVERED_STATE, TEXT(r->identity->enrolment_id), TEXT(row->item),
                            TEXT(command_state_names[turn->state]), TEXT(turn->hash),
                            TEXT(turn->reason), TEXT(turn->remedy), INTEGER(r->now)),
                        NULL, err);
}

/* What it enforces now, it is asked about in the old way too: it may not report it by itself. */
static bool item_in_force(struct db *tx, struct reporting *r, const struct delivered *row,
                          const char *token, struct err *err)
{
    const struct turn turn = {.state = COMMAND_VERIFIED, .hash = token};
    if (row->state == COMMAND_VERIFIED && strcmp(row->hash, token) == 0)
        return true;
    return item_turn(tx, r, row, &turn, err) &&
           carriers_settle(tx, r->identity, r->now, &r->replan, err) &&
           query_add(tx, r->identity->enrolment_id, COMMAND_QUERY_SECURITY, r->now, err);
}

static bool item_invalid(struct db *tx, const struct reporting *r, const struct delivered *row,
                         const struct declaration *said, struct err *err)
{
    const struct turn turn = {COMMAND_FAILED, "", said->reason, said->remedy};
    bool is_told = row->state == COMMAND_FAILED && row->reason && said->reason &&
                   strcmp(row->reason, said->reason) == 0;
    if (is_told)
        return true;
    return item_turn(tx, r, row, &turn, err) &&
           event_add(tx, "item.failed", r->identity->device_id,
                     json_pairs(r->owner, "item", row->item, "reason",
                                said->reason ? said->reason : "not told", NULL),
                     r->now, err);
}

/* It had it and has it no more, though it is declared still. */
static bool item_lost(struct db *tx, const struct reporting *r, const struct delivered *row,
                      struct err *err)
{
    const struct turn turn = {COMMAND_FAILED, "", "The device no longer has the declaration.",
                              "Synchronise the device; if that does not help, enrol it again."};
    if (row->state != COMMAND_VERIFIED)
        return true;
    return item_turn(tx, r, row, &turn, err) &&
           event_add(tx, "item.missing", r->identity->device_id,
                     json_pairs(r->owner, "item", row->item, NULL), r->now, err);
}

static bool item_said(struct db *tx, struct reporting *r, const struct delivered *row,
                      const struct declaration *said, struct err *err)
{
    if (strcmp(said->token, row->wanted_hash) != 0)
        return true; /* an older content: the new one is on its way */
    switch ((enum declaration_validity)said->validity) {
    case DECLARATION_INVALID: return item_invalid(tx, r, row, said, err);
    case DECLARATION_UNKNOWN: return true; /* not looked at yet */
    case DECLARATION_VALID: break;
    }
    if (said->is_active)
        return item_in_force(tx, r, row, said->token, err);
    const struct turn turn = {COMMAND_APPLIED, NULL, said->reason, said->remedy};
    return row->state == COMMAND_APPLIED || item_turn(tx, r, row, &turn, err);
}

static bool item_weigh(struct db *tx, struct reporting *r, const struct delivered *row,
                       struct err *err)
{
    const struct declared *said = declared_find(r->report, row->item);
    bool is_gone = said ? said->is_removed : r->report->is_full;
    if (!said && !is_gone)
        return true;
    if (is_gone && row->wanted_hash)
        return item_lost(tx, r, row, err);
    if (is_gone)
        return store_change(
            tx, ASK(DELIVERED_REMOVE, TEXT(r->identity->enrolment_id), TEXT(row->item)), NULL, err);
    return !row->wanted_hash || item_said(tx, r, row, &said->declaration, err);
}

static bool items_weigh(struct db *tx, struct reporting *r, struct err *err)
{
    struct rows *rows = NULL;
    if (!(r->report->named_kinds & 1U << DECLARATION_CONFIGURATION))
        return true;
    if (!store_rows(tx, r->owner, ASK(DELIVERED_LIST, TEXT(r->identity->enrolment_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        struct delivered row = {0};
        if (!rows_read(rows, i, delivered_fields, &row, err) ||
            (row.carrier == CARRIER_DECLARATION && !item_weigh(tx, r, &row, err)))
            return false;
    }
    return true;
}

static bool report_run(struct db *tx, void *context, struct err *err)
{
    struct reporting *r = context;
    struct observed observed = {.fleet = r->fleet,
                                .device_id = r->identity->device_id,
                                .enrolment_id = r->identity->enrolment_id,
                                .facts = r->report->facts,
                                .count = r->report->fact_count,
                                .now = r->now};
    r->replan = false;
    return able_save(tx, r, err) && declarations_save(tx, r, err) && items_weigh(tx, r, err) &&
           facts_save(tx, &observed, err);
}

bool fleet_declared(struct fleet *fleet, const struct actor *actor, const struct identity *identity,
                    const struct declared_report *report, bool *replan, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct reporting reporting = {
        .owner = owner, .fleet = fleet, .identity = identity, .report = report, .now = actor->now};
    struct change change = {.actor = actor,
                            .work = report_run,
                            .context = &reporting,
                            .forget = identity->enrolment_id,
                            .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return false;
    *replan = reporting.replan;
    return true;
}

/* ---- the device fetches ---- */

struct fetching {
    const char *enrolment_id, *item;
    int64_t now;
};

static bool fetched_run(struct db *tx, void *context, struct err *err)
{
    const struct fetching *f = context;
    return store_change(
        tx, ASK(DELIVERED_FETCHED, TEXT(f->enrolment_id), TEXT(f->item), INTEGER(f->now)), NULL,
        err);
}

bool fleet_declaration_fetched(struct fleet *fleet, const struct actor *actor,
                               const struct identity *identity, const char *item, struct err *err)
{
    struct fetching fetching = {identity->enrolment_id, item, actor->now};
    struct change change = {.actor = actor, .work = fetched_run, .context = &fetching};
    return fleet_change(fleet, &change, err);
}

/* ---- for people ---- */

bool fleet_declaration_list(struct fleet *fleet, const struct actor *actor, void *owner,
                            const char *device_id, struct list *out, struct err *err)
{
    struct enrolment enrolment = {0};
    bool found = false;
    void *items = NULL;
    size_t count = 0;
    if (!fleet_need(actor, "device.read", err) ||
        !store_find(fleet->db, owner, ASK(ENROLMENT_CURRENT, TEXT(device_id)), enrolment_fields,
                    &enrolment, &found, err))
        return false;
    if (found && !store_list(fleet->db, owner, ASK(DECLARATION_LIST, TEXT(enrolment.id)),
                             declaration_fields, sizeof(struct declaration), &items, &count, err))
        return false;
    *out = (struct list){.items = items, .count = count};
    return true;
}
