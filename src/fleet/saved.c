/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/saved.h"

#include <string.h>

#include "base/text.h"
#include "fleet/carrier.h"
#include "fleet/door.h"
#include "fleet/queue.h"
#include "fleet/resolved.h"
#include "fleet/shared.h"
#include "model/device.h"
#include "policy/comply.h"
#include "store/store.h"

static const char *fact_value(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->count; i++)
        if (strcmp(observed->facts[i].name, name) == 0)
            return observed->facts[i].value;
    return NULL;
}

static bool name_save(struct db *tx, const struct observed *observed, struct err *err)
{
    const char *name = fact_value(observed, "device.name");
    if (!name || !*name)
        return true;
    CLEANUP(mem_free_at) char *folded = text_fold(NULL, name);
    return store_change(
        tx, ASK(DEVICE_SET_NAME, TEXT(observed->device_id), TEXT(name), TEXT(folded)), NULL, err);
}

/* What resolution looks at may have changed with these facts: then it is done anew. */
static bool system_save(struct db *tx, const struct observed *observed, bool *changed,
                        struct err *err)
{
    const char *version = fact_value(observed, FACT_OS_VERSION);
    const char *supervised = fact_value(observed, "device.supervised");
    int64_t rows = 0;
    if (!version)
        return true;
    if (!store_change(tx,
                      ASK(DEVICE_SET_OS, TEXT(observed->device_id), TEXT(version),
                          TEXT(fact_value(observed, "os.build")),
                          supervised ? INTEGER(strcmp(supervised, "true") == 0) : TEXT(NULL)),
                      &rows, err))
        return false;
    *changed = rows > 0;
    return true;
}

/* A version that its build contradicts: told once, until both belong to each other again. */
static bool implausible_tell(struct db *tx, const struct observed *observed, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const char *now = fact_value(observed, FACT_OS_PLAUSIBLE);
    bool found = false;
    struct fact before = {0};
    if (!now || strcmp(now, "false") != 0)
        return true;
    if (!store_find(tx, owner,
                    ASK(FACT_FIND, TEXT(observed->enrolment_id), TEXT(FACT_OS_PLAUSIBLE)),
                    fact_fields, &before, &found, err))
        return false;
    return (found && strcmp(before.value, now) == 0) ||
           event_add(tx, "device.implausible", observed->device_id,
                     json_pairs(owner, "version", fact_value(observed, FACT_OS_VERSION), "build",
                                fact_value(observed, FACT_OS_BUILD), NULL),
                     observed->now, err);
}

static bool is_personal(struct db *tx, const struct observed *observed, bool *out, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct device device = {0};
    const struct want want = {"device", device_fields};
    if (!store_get(tx, owner, ASK(DEVICE_BY_ID, TEXT(observed->device_id)), want, &device, err))
        return false;
    *out = device.ownership == OWNERSHIP_PERSONAL;
    return true;
}

bool facts_save(struct db *tx, const struct observed *observed, struct err *err)
{
    bool changed = false, personal = false;
    if ((observed->count > 0 && !is_personal(tx, observed, &personal, err)) ||
        !implausible_tell(tx, observed, err))
        return false;
    for (size_t i = 0; i < observed->count; i++) {
        const struct fact *fact = &observed->facts[i];
        if (personal && fact_is_private(fact->name))
            continue;
        if (!store_change(tx,
                          ASK(FACT_UPSERT, TEXT(observed->enrolment_id), TEXT(fact->name),
                              TEXT(fact->value), TEXT(evidence_names[fact->evidence]),
                              TEXT(fact->source), INTEGER(fact->reported_at)),
                          NULL, err))
            return false;
    }
    struct resolving resolving = {
        .fleet = observed->fleet, .device_id = observed->device_id, .now = observed->now};
    if (!name_save(tx, observed, err) || !system_save(tx, observed, &changed, err))
        return false;
    resolving.replan = changed; /* another system may take things in another way */
    return changed ? device_resolve(tx, &resolving, err) : device_evaluate(tx, &resolving, err);
}

struct observing {
    void *owner;
    struct observed observed;
    struct enrolment enrolment; /* whose cached identity shows the version; id NULL = none */
};

static bool observe_run(struct db *tx, void *context, struct err *err)
{
    struct observing *o = context;
    bool found = false;
    o->enrolment = (struct enrolment){0};
    if (!store_find(tx, o->owner, ASK(ENROLMENT_CURRENT, TEXT(o->observed.device_id)),
                    enrolment_fields, &o->enrolment, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "the device is not enrolled");
    o->observed.enrolment_id = o->enrolment.id;
    return facts_save(tx, &o->observed, err);
}

bool fleet_observe(struct fleet *fleet, const struct actor *actor, const char *device_id,
                   const struct fact *facts, size_t count, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct observing observing = {.owner = owner,
                                  .observed = {.fleet = fleet,
                                               .device_id = device_id,
                                               .facts = facts,
                                               .count = count,
                                               .now = actor->now}};
    struct change change = {
        .actor = actor, .work = observe_run, .context = &observing, .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return false;
    if (observing.enrolment.id)
        shared_forget(fleet->shared, observing.enrolment.id);
    return true;
}

static const char *reported_hash(const struct command_result *result, const char *item)
{
    for (size_t i = 0; i < result->item_count; i++)
        if (strcmp(result->items[i].item, item) == 0)
            return result->items[i].hash;
    return NULL;
}

static bool item_verified(struct db *tx, const struct comparing *c, const char *hash,
                          struct err *err)
{
    const char *id = c->identity->enrolment_id;
    bool ignored = false; /* the planning job does it */
    return store_change(tx,
                        ASK(DELIVERED_STATE, TEXT(id), TEXT(c->row->item),
                            TEXT(command_state_names[COMMAND_VERIFIED]), TEXT(hash), TEXT(NULL),
                            TEXT(NULL), INTEGER(c->now)),
                        NULL, err) &&
           store_change(tx, ASK(DELIVERED_LOSSES, TEXT(id), TEXT(c->row->item), INTEGER(0)), NULL,
                        err) &&
           store_change(tx, ASK(COMMAND_VERIFY_ITEM, TEXT(id), TEXT(c->row->item)), NULL, err) &&
           carriers_settle(tx, c->identity, c->now, &ignored, err);
}

#define LOSSES_MOST 3 /* in a row, each after a new installation */

static bool item_queue_again(struct db *tx, const struct comparing *c, struct err *err)
{
    struct queued queued = {.enrolment_id = c->identity->enrolment_id,
                            .kind = COMMAND_INSTALL_ITEM,
                            .item = c->row->item,
                            .created_by = "system",
                            .now = c->now};
    return store_change(tx,
                        ASK(DELIVERED_STATE, TEXT(c->identity->enrolment_id), TEXT(c->row->item),
                            TEXT(command_state_names[COMMAND_QUEUED]), TEXT(""),
                            TEXT("the device no longer has it"), TEXT(NULL), INTEGER(c->now)),
                        NULL, err) &&
           command_queue(tx, &queued, err);
}

static bool item_given_up(struct db *tx, const struct comparing *c, struct err *err)
{
    return store_change(
        tx,
        ASK(DELIVERED_STATE, TEXT(c->identity->enrolment_id), TEXT(c->row->item),
            TEXT(command_state_names[COMMAND_FAILED]), TEXT(""),
            TEXT("the device accepts it every time and then does not have it"),
            TEXT("Look on the device what removes or changes the profile, then synchronise."),
            INTEGER(c->now)),
        NULL, err);
}

/* The device lost or never took what it had acknowledged: it is sent again, but not for ever. */
static bool item_missing(struct db *tx, const struct comparing *c, struct err *err)
{
    CLEANUP(mem_free_at) char *body = json_pairs(NULL, "item", c->row->item, NULL);
    const char *id = c->identity->enrolment_id;
    bool given_up = c->row->losses >= LOSSES_MOST;
    return store_change(
               tx, ASK(DELIVERED_LOSSES, TEXT(id), TEXT(c->row->item), INTEGER(c->row->losses + 1)),
               NULL, err) &&
           (given_up ? item_given_up(tx, c, err) : item_queue_again(tx, c, err)) &&
           event_add(tx, given_up ? "item.given_up" : "item.missing", c->identity->device_id, body,
                     c->now, err);
}

bool item_compare(struct db *tx, const struct comparing *c, struct err *err)
{
    const char *hash = reported_hash(c->result, c->row->item);
    bool settled = c->row->state == COMMAND_APPLIED || c->row->state == COMMAND_VERIFIED;
    bool ended = settled || c->row->state == COMMAND_FAILED;
    if (!ended || !c->row->wanted_hash || c->row->carrier != CARRIER_COMMAND)
        return true; /* on its way: its own answer will tell */
    if (hash && strcmp(hash, c->row->wanted_hash) == 0)
        return c->row->state == COMMAND_VERIFIED || item_verified(tx, c, hash, err);
    return !settled || item_missing(tx, c, err);
}
