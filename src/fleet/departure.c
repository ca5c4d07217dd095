/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/departure.h"

#include "fleet/act.h"
#include "fleet/door.h"
#include "fleet/queue.h"
#include "model/device.h"
#include "store/store.h"

/* ---- a device that was given up speaks ---- */

struct reopening {
    const struct identity *identity;
    enum enrolment_state state; /* that it goes back to */
    enum command_kind kind;
    int64_t now;
    bool done;
};

static bool returned_event(struct db *tx, const struct reopening *r, struct err *err)
{
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "enrolment", r->identity->enrolment_id, "state",
                            enrolment_state_names[r->state], NULL);
    return event_add(tx, "device.returned", r->identity->device_id, body, r->now, err);
}

/* The command that it did not follow, or a new one if that is not known any more. */
static bool command_again(struct db *tx, const struct reopening *r, struct err *err)
{
    const char *id = r->identity->enrolment_id;
    const struct queued queued = {
        .enrolment_id = id, .kind = r->kind, .created_by = "system", .now = r->now};
    int64_t changed = 0;
    return store_change(tx, ASK(COMMAND_REOPEN, TEXT(id), TEXT(command_kind_names[r->kind])),
                        &changed, err) &&
           (changed == 1 ? job_add(tx, "wake", id, r->now, err) : command_queue(tx, &queued, err));
}

static bool reopen_run(struct db *tx, void *context, struct err *err)
{
    struct reopening *r = context;
    const struct actor system = fleet_system_actor(r->now);
    const struct change change = {.actor = &system,
                                  .action = "enrolment.reopen",
                                  .subject_kind = "enrolment",
                                  .subject_id = r->identity->enrolment_id};
    int64_t changed = 0;
    if (!store_change(tx,
                      ASK(ENROLMENT_REOPEN, TEXT(r->identity->enrolment_id),
                          TEXT(enrolment_state_names[r->state]),
                          TEXT(enrolment_state_names[r->identity->enrolment_state]),
                          INTEGER(r->now)),
                      &changed, err))
        return false;
    r->done = changed == 1;
    return !r->done || (command_again(tx, r, err) && returned_event(tx, r, err) &&
                        change_audit(tx, &change, err));
}

bool fleet_departure_reopen(struct fleet *fleet, const struct actor *actor,
                            struct identity *identity, struct err *err)
{
    bool wipes = identity->enrolment_state == ENROLMENT_WIPED_UNCONFIRMED;
    struct reopening reopening = {.identity = identity,
                                  .state = wipes ? ENROLMENT_WIPING : ENROLMENT_RETIRING,
                                  .kind = wipes ? COMMAND_WIPE : COMMAND_RETIRE,
                                  .now = actor->now};
    const struct change change = {.actor = actor,
                                  .work = reopen_run,
                                  .context = &reopening,
                                  .forget = identity->enrolment_id,
                                  .wakes = true};
    if (!wipes && identity->enrolment_state != ENROLMENT_RETIRED_UNCONFIRMED)
        return true;
    if (!fleet_change(fleet, &change, err))
        return false;
    if (reopening.done) {
        identity->enrolment_state = (int)reopening.state;
        identity->has_work = true;
    }
    return true;
}

/* ---- a wipe that is taken back ---- */

struct taking_back {
    const struct command *wipe;
    const struct actor *actor;
};

static bool take_back_run(struct db *tx, void *context, struct err *err)
{
    const struct taking_back *t = context;
    const char *id = t->wipe->enrolment_id;
    int64_t now = t->actor->now;
    const struct queued retire = {
        .enrolment_id = id, .kind = COMMAND_RETIRE, .created_by = t->actor->name, .now = now};
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "command", t->wipe->id, "by", t->actor->name, NULL);
    return store_change_one(tx, ASK(COMMAND_CANCEL_UNSEEN, TEXT(t->wipe->id), INTEGER(now)),
                            "the device has fetched the wipe, or it has ended", err) &&
           store_change_one(tx,
                            ASK(ENROLMENT_SET_STATE, TEXT(id),
                                TEXT(enrolment_state_names[ENROLMENT_RETIRING]), TIME(0)),
                            "the device has left meanwhile", err) &&
           command_queue(tx, &retire, err) &&
           event_add(tx, "wipe.taken_back", t->wipe->device_id, body, now, err);
}

bool fleet_wipe_take_back(struct fleet *fleet, const struct actor *actor,
                          const struct command *wipe, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct taking_back taking_back = {wipe, actor};
    const struct change change = {.actor = actor,
                                  .action = "command.cancel",
                                  .permission = "command.cancel",
                                  .subject_kind = "command",
                                  .subject_id = wipe->id,
                                  .detail = json_pairs(owner, "device", wipe->device_id, "kind",
                                                       command_kind_names[wipe->kind], "then",
                                                       command_kind_names[COMMAND_RETIRE], NULL),
                                  .work = take_back_run,
                                  .context = &taking_back,
                                  .forget = wipe->enrolment_id,
                                  .wakes = true};
    if (wipe->delivered_at || wipe->finished_at)
        return err_set(err, ERR_PRECONDITION, "the device has fetched the wipe, or it has ended");
    return fleet_need(actor, "device.wipe", err) && fleet_change(fleet, &change, err);
}
