/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/bootstrap.h"

#include "fleet/door.h"
#include "fleet/escrow.h"
#include "fleet/leave.h"
#include "store/store.h"

struct keeping {
    const struct identity *identity;
    struct bytes sealed; /* data NULL: remove what is there */
    int64_t now;
};

static bool keep_run(struct db *tx, void *context, struct err *err)
{
    const struct keeping *k = context;
    const char *enrolment = k->identity->enrolment_id;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct want want = {"enrolment", enrolment_fields};
    struct enrolment now = {0};
    if (!store_get(tx, owner, ASK(ENROLMENT_BY_ID, TEXT(enrolment)), want, &now, err))
        return false;
    if (now.state == ENROLMENT_PENDING || now.ended_at)
        return err_set(err, ERR_FORBIDDEN, "the enrolment is %s", enrolment_state_names[now.state]);
    const struct kept kept = {k->identity->device_id, enrolment, k->sealed, k->now};
    return k->sealed.data ? escrow_keep(tx, ESCROW_BOOTSTRAP_TOKEN, &kept, err)
                          : escrow_drop(tx, ESCROW_BOOTSTRAP_TOKEN, enrolment, err);
}

static struct change change_of(const struct actor *actor, const struct identity *identity,
                               const char *action)
{
    return (struct change){.actor = actor,
                           .action = action,
                           .subject_kind = "device",
                           .subject_id = identity->device_id,
                           .wakes = true};
}

static bool need_device(const struct identity *identity, struct err *err)
{
    return identity->device_id ||
           err_set(err, ERR_FORBIDDEN, "the device did not say who it is before");
}

bool fleet_bootstrap_keep(struct fleet *fleet, const struct actor *actor,
                          const struct identity *identity, struct bytes token, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct keeping keeping = {.identity = identity, .now = actor->now};
    bool removes = token.size == 0;
    struct change change =
        change_of(actor, identity, removes ? "bootstrap_token.remove" : "bootstrap_token.keep");
    const struct escrowed escrowed = {ESCROW_BOOTSTRAP_TOKEN, identity->device_id, token};
    change.detail = json_pairs(owner, "enrolment", identity->enrolment_id, NULL);
    change.work = keep_run;
    change.context = &keeping;
    return need_device(identity, err) &&
           (removes || escrow_seal(fleet, owner, &escrowed, &keeping.sealed, err)) &&
           fleet_change(fleet, &change, err);
}

bool fleet_bootstrap_give(struct fleet *fleet, const struct actor *actor, void *owner,
                          const struct identity *identity, struct bytes *out, struct err *err)
{
    const char *enrolment = identity->enrolment_id;
    struct bytes sealed = NO_BYTES;
    struct change change = change_of(actor, identity, "bootstrap_token.give");
    change.detail = json_pairs(owner, "enrolment", enrolment, NULL);
    if (!need_device(identity, err) ||
        !escrow_find(fleet->db, owner, ESCROW_BOOTSTRAP_TOKEN, enrolment, &sealed, err))
        return false;
    if (!sealed.data) {
        *out = NO_BYTES;
        return true;
    }
    const struct escrowed kept = {ESCROW_BOOTSTRAP_TOKEN, identity->device_id, sealed};
    return fleet_change(fleet, &change, err) && escrow_open(fleet, owner, &kept, out, err);
}

bool bootstrap_end(struct db *tx, const struct leaving *leaving, struct err *err)
{
    return leaving->state == ENROLMENT_RETIRED_UNCONFIRMED ||
           leaving->state == ENROLMENT_WIPED_UNCONFIRMED ||
           escrow_drop(tx, ESCROW_BOOTSTRAP_TOKEN, leaving->enrolment_id, err);
}
