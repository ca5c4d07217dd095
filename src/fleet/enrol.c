/* SPDX-License-Identifier: Apache-2.0 */
/* The first steps of a device: link to challenge, first contact, reachable, gone. */
#include "fleet/enrol.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/address.h"
#include "fleet/admission.h"
#include "fleet/arrival.h"
#include "fleet/automated_own.h"
#include "fleet/challenge.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/link.h"
#include "fleet/refusal.h"
#include "fleet/resolved.h"
#include "fleet/step.h"
#include "model/certificate.h"
#include "model/command.h"
#include "model/platform.h"
#include "pki/keyd.h"
#include "store/store.h"

#define INVENTORY_FIRST_SECONDS 120 /* when what matters more has arrived */
#define UDID_LONGEST 255            /* bytes */

/* ---- link -> enrolment and challenge ---- */

struct starting {
    const struct enrolment_link *link;
    const struct challenge_wish *challenge;
    const char *channel;
};

static bool start_run(struct db *tx, void *context, struct err *err)
{
    const struct starting *s = context;
    const struct challenge_wish *challenge = s->challenge;
    return store_change_one(tx, ASK(ENROLMENT_LINK_USE, TEXT(s->link->id), INTEGER(challenge->now)),
                            "this enrolment link was used meanwhile", err) &&
           store_change(tx,
                        ASK(ENROLMENT_INSERT, TEXT(challenge->enrolment_id), TEXT(s->link->id),
                            TEXT(s->channel), TEXT(enrolment_state_names[ENROLMENT_PENDING]),
                            INTEGER(challenge->now), INTEGER(challenge->authority)),
                        NULL, err) &&
           challenge_insert(tx, challenge, err);
}

struct start_wish {
    const char *token, *channel;
    enum enrolment_mode mode;
};

static bool start(struct fleet *fleet, const struct actor *actor, void *owner,
                  const struct start_wish *wish, struct enrolment_start *out, struct err *err)
{
    struct enrolment_link link;
    struct enrolment_start made;
    struct challenge_wish challenge;
    const struct link_shown shown = {wish->token, wish->mode, actor->now};
    if (!link_find(fleet, owner, &shown, &link, err)) {
        link_note_refusal(fleet, actor, &shown);
        return false;
    }
    if (!challenge_prepare(fleet, owner, id_make(owner), actor->now, &made, &challenge, err))
        return false;
    made.ownership = link.ownership;
    made.mode = link.mode;
    made.takes_users = true;
    made.apple_account = link.apple_account;
    struct starting starting = {.link = &link, .challenge = &challenge, .channel = wish->channel};
    struct change change = {.actor = actor,
                            .action = "enrolment.start",
                            .subject_kind = "enrolment",
                            .subject_id = made.enrolment_id,
                            .detail = json_pairs(owner, "link", link.id, "channel", wish->channel,
                                                 "user", link.user_id, NULL),
                            .work = start_run,
                            .context = &starting};
    if (!fleet_change(fleet, &change, err)) {
        if (err->kind == ERR_CONFLICT) {
            link_note_refusal(fleet, actor, &shown);
            err->kind = ERR_NOT_FOUND;
        }
        return false;
    }
    *out = made;
    return true;
}

bool fleet_enrolment_start(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *token, const char *channel, struct enrolment_start *out,
                           struct err *err)
{
    const struct start_wish wish = {token, channel, MODE_DEVICE};
    return start(fleet, actor, owner, &wish, out, err);
}

bool fleet_enrolment_start_account(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const char *token, const char *channel,
                                   struct enrolment_start *out, struct err *err)
{
    const struct start_wish wish = {token, channel, MODE_ACCOUNT};
    return start(fleet, actor, owner, &wish, out, err);
}

/* ---- first contact ---- */

struct meeting {
    void *owner;
    const struct identity *identity;
    const struct device_claims *claims;
    int64_t now;
};

static bool device_known(struct db *tx, const struct meeting *m, struct device *device, bool *found,
                         struct err *err)
{
    *device = (struct device){0};
    return store_find(tx, m->owner, ASK(DEVICE_BY_UDID, TEXT(m->claims->udid)), device_fields,
                      device, found, err);
}

static const char *claimed_name(const struct meeting *m)
{
    if (m->claims->name && *m->claims->name)
        return m->claims->name;
    const char *what = m->claims->model ? m->claims->model : m->claims->product;
    const char *which = m->claims->serial ? m->claims->serial : m->claims->udid;
    return mem_format(m->owner, "%s %s", what ? what : "Device", which);
}

static bool device_make(struct db *tx, const struct meeting *m, const char *id, struct err *err)
{
    const struct device_claims *c = m->claims;
    const char *name = claimed_name(m);
    struct rows *rows = NULL;
    if (!store_rows(tx, m->owner, ASK(ENROLMENT_LINK_OF, TEXT(m->identity->enrolment_id)), &rows,
                    err))
        return false;
    const char *ownership = rows->count ? rows_text(rows, 0, "ownership") : ownership_names[0];
    return store_change(tx,
                        ASK(DEVICE_INSERT, TEXT(id), TEXT(name), TEXT(text_fold(m->owner, name)),
                            TEXT(platform_names[c->platform]), TEXT(c->model), TEXT(c->product),
                            TEXT(c->serial), TEXT(c->udid), TEXT(c->os_version), TEXT(c->os_build),
                            TEXT(ownership), INTEGER(0), INTEGER(m->now)),
                        NULL, err);
}

static bool device_renew(struct db *tx, const struct meeting *m, const struct device *device,
                         struct err *err)
{
    const struct device_claims *c = m->claims;
    const char *name = c->name && *c->name ? c->name : device->name;
    return store_change(tx,
                        ASK(DEVICE_UPDATE_CLAIMS, TEXT(device->id), TEXT(name),
                            TEXT(text_fold(m->owner, name)), TEXT(platform_names[c->platform]),
                            TEXT(c->model ? c->model : device->model),
                            TEXT(c->product ? c->product : device->product),
                            TEXT(c->serial ? c->serial : device->serial),
                            TEXT(c->os_version ? c->os_version : device->os_version),
                            TEXT(c->os_build ? c->os_build : device->os_build)),
                        NULL, err);
}

static bool meet_run(struct db *tx, void *context, struct err *err)
{
    struct meeting *m = context;
    struct device device;
    bool known = false;
    if (!device_known(tx, m, &device, &known, err))
        return false;
    const struct admission admission = {.owner = m->owner,
                                        .enrolment_id = m->identity->enrolment_id,
                                        .device_id = known ? device.id : NULL};
    if (!admission_check(tx, &admission, err))
        return false;
    const char *id = known ? device.id : id_make(m->owner);
    if (!(known ? device_renew(tx, m, &device, err) : device_make(tx, m, id, err)) ||
        !automated_meet(tx, m->identity->enrolment_id, m->claims, err))
        return false;
    return store_change_one(tx,
                            ASK(ENROLMENT_BIND, TEXT(m->identity->enrolment_id), TEXT(id),
                                TEXT(m->claims->topic)),
                            "the enrolment belongs to another device", err) &&
           arrival_claims(tx, m->identity->enrolment_id, m->claims, m->now, err) &&
           certificate_seen(tx, m->identity->certificate_id, m->now, err);
}

static bool present_run(struct db *tx, void *context, struct err *err)
{
    const struct meeting *m = context;
    return certificate_seen(tx, m->identity->certificate_id, m->now, err);
}

/* The challenge that made the certificate was of this enrolment: a renewed identity shows itself.
 * The one before goes on until the device speaks with this one (fleet/rival.c). */
static bool identity_present(struct fleet *fleet, const struct actor *actor,
                             const struct identity *identity, struct err *err)
{
    struct meeting meeting = {.identity = identity, .now = actor->now};
    struct change change = {
        .actor = actor, .work = present_run, .context = &meeting, .forget = identity->enrolment_id};
    return fleet_change(fleet, &change, err);
}

static bool may_meet(const struct identity *identity, const struct device_claims *claims,
                     struct err *err)
{
    if (!claims->udid || !*claims->udid || strlen(claims->udid) > UDID_LONGEST)
        return err_set(err, ERR_BAD_INPUT, "the device does not say which one it is");
    if (identity->udid && strcmp(identity->udid, claims->udid) != 0)
        return err_set(err, ERR_FORBIDDEN, "the certificate belongs to another device");
    if (identity->enrolment_state != ENROLMENT_PENDING &&
        identity->enrolment_state != ENROLMENT_ACTIVE)
        return err_set(err, ERR_FORBIDDEN, "the enrolment is %s",
                       enrolment_state_names[identity->enrolment_state]);
    return identity->certificate_state == CERTIFICATE_ISSUED ||
           err_set(err, ERR_FORBIDDEN, "the certificate is revoked");
}

/* Says in the history of the device that is named what was refused; false always. */
static bool refused(struct fleet *fleet, const struct actor *actor, const struct identity *identity,
                    const char *udid, const struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct err ignored; /* the refusal is what the caller needs to hear */
    struct rows *rows = NULL;
    struct identity named = *identity;
    if (err->kind != ERR_FORBIDDEN ||
        !store_rows(fleet->db, owner, ASK(DEVICE_BY_UDID, TEXT(udid)), &rows, &ignored))
        return false;
    if (!named.device_id && rows->count)
        named.device_id = mem_text(owner, rows_text(rows, 0, "id"));
    const char *body = json_pairs(owner, "reason", err->text, "udid", udid, "enrolment",
                                  identity->enrolment_id, NULL);
    bool kept = fleet_anomaly(fleet, actor, &named, "enrolment.refused", body, &ignored);
    (void)kept;
    return false;
}

bool fleet_authenticate(struct fleet *fleet, const struct actor *actor,
                        const struct identity *identity, const struct device_claims *claims,
                        struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    if (!may_meet(identity, claims, err) || !admission_topic(fleet, identity, claims->topic, err))
        return refused(fleet, actor, identity, claims->udid, err);
    if (identity->enrolment_state == ENROLMENT_ACTIVE) /* bound already: a repeat, or renewed */
        return identity->is_seen || identity_present(fleet, actor, identity, err);
    struct meeting meeting = {owner, identity, claims, actor->now};
    struct change change = {
        .actor = actor, .work = meet_run, .context = &meeting, .forget = identity->enrolment_id};
    return fleet_change(fleet, &change, err) || refused(fleet, actor, identity, claims->udid, err);
}

/* ---- reachable ---- */

struct activation {
    void *owner;
    struct fleet *fleet;
    const struct identity *identity;
    const char *topic;
    struct bytes token, magic, unlock_token; /* sealed */
    bool awaits;
    int64_t now;
    bool first, differs; /* from nothing; from the address that is stored */
    char **superseded;
    size_t superseded_count;
};

static bool supersede_others(struct db *tx, struct activation *a, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(
            tx, a->owner,
            ASK(ENROLMENT_OTHERS, TEXT(a->identity->device_id), TEXT(a->identity->enrolment_id)),
            &rows, err))
        return false;
    const struct admission admission = {a->owner, a->identity->enrolment_id, a->identity->device_id,
                                        a->now};
    a->superseded = mem_array(a->owner, char *, rows->count + 1);
    a->superseded_count = rows->count;
    for (size_t i = 0; i < rows->count; i++) {
        struct leaving leaving = {.enrolment_id = rows_text(rows, i, "id"),
                                  .device_id = a->identity->device_id,
                                  .state = ENROLMENT_SUPERSEDED,
                                  .reason = REASON_SUPERSEDED,
                                  .now = a->now};
        a->superseded[i] = mem_text(a->owner, leaving.enrolment_id);
        if (!enrolment_leave(tx, &leaving, err) ||
            !admission_replaced(tx, &admission, leaving.enrolment_id, err))
            return false;
    }
    return true;
}

static const enum command_kind first_queries[] = {COMMAND_QUERY_DEVICE, COMMAND_QUERY_SECURITY};

static bool first_activation(struct db *tx, struct activation *a, struct err *err)
{
    const char *device_id = a->identity->device_id;
    for (size_t i = 0; i < COUNT(first_queries); i++)
        if (!query_add(tx, a->identity->enrolment_id, first_queries[i], a->now, err))
            return false;
    struct resolving resolving = {
        .fleet = a->fleet, .device_id = device_id, .now = a->now, .replan = true};
    return supersede_others(tx, a, err) &&
           arrival_ownership(tx, a->identity->enrolment_id, device_id, a->now, err) &&
           store_change(tx, ASK(DEVICE_TAKE_WAY, TEXT(device_id), TEXT(a->identity->enrolment_id)),
                        NULL, err) &&
           device_resolve(tx, &resolving, err) &&
           event_add(tx, "device.enrolled", device_id,
                     json_pairs(a->owner, "enrolment", a->identity->enrolment_id, "channel",
                                a->identity->channel, NULL),
                     a->now, err) &&
           job_add(tx, "inventory", a->identity->enrolment_id, a->now + INVENTORY_FIRST_SECONDS,
                   err) &&
           job_add(tx, "wake", a->identity->enrolment_id, a->now, err);
}

/* What waited for a device that could not be woken is pushed for now. */
static bool wake_open(struct db *tx, const char *enrolment_id, int64_t now, struct err *err)
{
    int64_t open = 0;
    return store_number(tx, ASK(COMMAND_OPEN_COUNT, TEXT(enrolment_id)), "count", &open, err) &&
           (open == 0 || job_add(tx, "wake", enrolment_id, now, err));
}

static bool activate_run(struct db *tx, void *context, struct err *err)
{
    struct activation *a = context;
    const char *id = a->identity->enrolment_id;
    const struct admission admission = {a->owner, id, a->identity->device_id, a->now};
    int64_t changed = 0;
    /* the device may have become another's since it said who it is */
    if (a->identity->enrolment_state == ENROLMENT_PENDING && !admission_check(tx, &admission, err))
        return false;
    if (a->differs && !store_change(tx, ASK(ENROLMENT_PUSH_KEEP, TEXT(id)), NULL, err))
        return false;
    if (!store_change(tx,
                      ASK(ENROLMENT_SET_PUSH, TEXT(id), TEXT(a->topic), BYTES(a->token),
                          BYTES(a->magic), BYTES(a->unlock_token), INTEGER(a->now)),
                      NULL, err) ||
        !store_change(tx, ASK(ENROLMENT_ACTIVATE, TEXT(id), INTEGER(a->now)), &changed, err))
        return false;
    a->first = changed == 1;
    if (!automated_await(tx, id, a->awaits, a->now, err))
        return false;
    if (!a->identity->is_seen && !certificate_seen(tx, a->identity->certificate_id, a->now, err))
        return false;
    return a->first ? first_activation(tx, a, err) : wake_open(tx, id, a->now, err);
}

static bool seal_part(struct fleet *fleet, struct activation *a, enum keyd_class class,
                      struct bytes plain, struct bytes *sealed, struct err *err)
{
    return !plain.data ||
           keyd_seal(fleet->keyd, a->owner, class, a->identity->enrolment_id, plain, sealed, err);
}

static bool address_seal(struct fleet *fleet, struct activation *a,
                         const struct push_address *address, struct err *err)
{
    struct enrolment e = {0};
    const struct want want = {"enrolment", enrolment_fields};
    const char *id = a->identity->enrolment_id;
    return store_get(fleet->db, a->owner, ASK(ENROLMENT_BY_ID, TEXT(id)), want, &e, err) &&
           address_differs(fleet, a->owner, &e, address, &a->differs, err) &&
           seal_part(fleet, a, KEYD_CLASS_DEVICE, address->token, &a->token, err) &&
           seal_part(fleet, a, KEYD_CLASS_DEVICE, address->magic, &a->magic, err) &&
           seal_part(fleet, a, KEYD_CLASS_COMMAND, address->unlock_token, &a->unlock_token, err);
}

static bool may_activate(const struct identity *identity, struct err *err)
{
    if (!identity->device_id)
        return err_set(err, ERR_FORBIDDEN, "the device did not say who it is before");
    /* A device says its new address once: lost, one that is blocked or leaves could never be woken
     * again. */
    if (identity->enrolment_state != ENROLMENT_PENDING &&
        identity->enrolment_state != ENROLMENT_ACTIVE &&
        identity->enrolment_state != ENROLMENT_BLOCKED &&
        identity->enrolment_state != ENROLMENT_RETIRING &&
        identity->enrolment_state != ENROLMENT_WIPING)
        return err_set(err, ERR_FORBIDDEN, "the enrolment is %s",
                       enrolment_state_names[identity->enrolment_state]);
    return true;
}

bool fleet_activate(struct fleet *fleet, const struct actor *actor, const struct identity *identity,
                    const struct push_address *address, bool *first, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct activation a = {.owner = owner,
                           .fleet = fleet,
                           .identity = identity,
                           .topic = address->topic,
                           .awaits = address->awaits,
                           .now = actor->now};
    if (!may_activate(identity, err) || !admission_topic(fleet, identity, address->topic, err))
        return refused(fleet, actor, identity, identity->udid, err);
    if (!address_seal(fleet, &a, address, err))
        return false;
    struct change change = {.actor = actor,
                            .work = activate_run,
                            .context = &a,
                            .forget = identity->enrolment_id,
                            .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return refused(fleet, actor, identity, identity->udid, err);
    leave_forget(fleet, a.superseded, a.superseded_count);
    *first = a.first;
    return true;
}

/* ---- gone ---- */

static bool check_out_run(struct db *tx, void *context, struct err *err)
{
    const struct leaving *leaving = context;
    return enrolment_leave(tx, leaving, err);
}

/* What a departure means depends on what the device was asked before. */
static enum enrolment_state state_after(int state)
{
    if (state == ENROLMENT_RETIRING)
        return ENROLMENT_RETIRED;
    return state == ENROLMENT_WIPING ? ENROLMENT_WIPED : ENROLMENT_CHECKED_OUT;
}

bool fleet_check_out(struct fleet *fleet, const struct actor *actor,
                     const struct identity *identity, struct err *err)
{
    if (identity->enrolment_state > ENROLMENT_RETIRING &&
        identity->enrolment_state != ENROLMENT_WIPING)
        return true;                                    /* it left before */
    if (identity->enrolment_state == ENROLMENT_BLOCKED) /* leaving does not end the block */
        return fleet_anomaly(fleet, actor, identity, "device.left_while_blocked", "{}", err);
    struct leaving leaving = {.enrolment_id = identity->enrolment_id,
                              .device_id = identity->device_id,
                              .state = state_after(identity->enrolment_state),
                              .reason = REASON_CESSATION,
                              .now = actor->now};
    struct change change = {.actor = actor,
                            .work = check_out_run,
                            .context = &leaving,
                            .forget = identity->enrolment_id,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

/* ---- something that deserves a look ---- */

static bool anomaly_run(struct db *tx, void *context, struct err *err)
{
    return refusal_add(tx, context, err);
}

bool fleet_anomaly(struct fleet *fleet, const struct actor *actor, const struct identity *identity,
                   const char *kind, const char *body, struct err *err)
{
    struct refusal_wish wish = {.kind = kind,
                                .peer = identity->enrolment_id,
                                .device_id = identity->device_id,
                                .detail = body,
                                .now = actor->now};
    struct change change = {.actor = actor, .work = anomaly_run, .context = &wish, .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_stranger_note(struct fleet *fleet, const struct actor *actor, const char *kind,
                         const char *body, struct err *err)
{
    char peer[REFUSAL_PEER_SIZE];
    refusal_peer(actor->name, peer);
    return fleet_anomaly(fleet, actor, &(struct identity){.enrolment_id = peer}, kind, body, err);
}
