/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/block.h"

#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/user_channel.h"
#include "model/certificate.h"
#include "model/device.h"
#include "store/store.h"

struct turning {
    const char *device_id;
    const struct enrolment *enrolment;
    const struct actor *actor;
};

static bool turned_event(struct db *tx, const struct turning *t, const char *kind, struct err *err)
{
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "by", t->actor->name, "reason", t->actor->reason, NULL);
    return event_add(tx, kind, t->device_id, body, t->actor->now, err);
}

static bool block_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    const char *id = t->enrolment->id;
    int64_t now = t->actor->now;
    return store_change_one(tx, ASK(ENROLMENT_BLOCK, TEXT(id)),
                            "the state of the device has changed meanwhile", err) &&
           store_change(tx, ASK(CHALLENGE_CANCEL_OF_ENROLMENT, TEXT(id)), NULL, err) &&
           store_change(tx,
                        ASK(CERTIFICATE_HOLD_OF_ENROLMENT, TEXT(id), INTEGER(now),
                            TEXT(revocation_reason_names[REASON_HOLD]),
                            TEXT(revocation_reason_names[REASON_CESSATION])),
                        NULL, err) &&
           crl_due(tx, now, err) && turned_event(tx, t, "device.blocked", err);
}

static bool unblock_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    const char *id = t->enrolment->id;
    int64_t now = t->actor->now;
    return store_change_one(tx, ASK(ENROLMENT_UNBLOCK, TEXT(id)),
                            "the state of the device has changed meanwhile", err) &&
           store_change(tx, ASK(CERTIFICATE_RELEASE_OF_ENROLMENT, TEXT(id), INTEGER(now)), NULL,
                        err) &&
           crl_due(tx, now, err) && job_add(tx, "plan", "all", now, err) &&
           job_add(tx, "wake", id, now, err) && user_channels_wake(tx, id, now, err) &&
           turned_event(tx, t, "device.unblocked", err);
}

/* Refused when the enrolment is not in this state; *owner keeps what was read. */
static bool enrolment_in(struct fleet *fleet, void *owner, const char *device_id,
                         enum enrolment_state state, struct enrolment *out, struct err *err)
{
    struct device device = {0};
    bool found = false;
    const struct want want = {"device", device_fields};
    if (!store_get(fleet->db, owner, ASK(DEVICE_BY_ID, TEXT(device_id)), want, &device, err) ||
        !store_find(fleet->db, owner, ASK(ENROLMENT_CURRENT, TEXT(device_id)), enrolment_fields,
                    out, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_PRECONDITION, "%s is not enrolled", device.name);
    return (int)state == out->state || err_set(err, ERR_PRECONDITION, "%s is %s", device.name,
                                               enrolment_state_names[out->state]);
}

static bool turn(struct fleet *fleet, const struct actor *actor, const char *device_id,
                 enum enrolment_state from, const char *action, change_work *work, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct enrolment enrolment = {0};
    if (!fleet_need(actor, "device.block", err) ||
        !enrolment_in(fleet, owner, device_id, from, &enrolment, err))
        return false;
    struct turning turning = {device_id, &enrolment, actor};
    const struct change change = {.actor = actor,
                                  .action = action,
                                  .permission = "device.block",
                                  .subject_kind = "device",
                                  .subject_id = device_id,
                                  .detail = json_pairs(owner, "enrolment", enrolment.id, NULL),
                                  .work = work,
                                  .context = &turning,
                                  .forget = enrolment.id,
                                  .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_device_block(struct fleet *fleet, const struct actor *actor, const char *device_id,
                        struct err *err)
{
    return turn(fleet, actor, device_id, ENROLMENT_ACTIVE, "device.block", block_run, err);
}

bool fleet_device_unblock(struct fleet *fleet, const struct actor *actor, const char *device_id,
                          struct err *err)
{
    return turn(fleet, actor, device_id, ENROLMENT_BLOCKED, "device.unblock", unblock_run, err);
}
