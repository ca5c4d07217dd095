/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two good certificates of one enrolment: while a device renews its identity.  Which one stays is
 * decided by the device, by the one that it goes on with: it puts the old one back when anything
 * fails, also when our answer to its last message was lost.  The new one is believed at once, the
 * old one only when the new one was silent for long.
 */
#include "fleet/rival.h"

#include <string.h>

#include "fleet/address.h"
#include "fleet/door.h"
#include "fleet/renew.h"
#include "model/certificate.h"
#include "store/store.h"

struct rivals { /* of the certificate that speaks */
    const char *older_serial, *own_serial;
    const char *newer_serial; /* one that the device has shown */
    int64_t shown_at;
    int64_t heard_at; /* of the newer one at last: shown, or with a push address */
};

static bool rivals_read(struct db *tx, void *owner, const struct identity *identity,
                        struct rivals *out, struct err *err)
{
    struct rows *rows = NULL;
    struct rivals found = {0};
    if (!store_rows(tx, owner, ASK(CERTIFICATE_RIVALS, TEXT(identity->enrolment_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        int order = strcmp(rows_text(rows, i, "id"), identity->certificate_id);
        const char *serial = rows_text(rows, i, "serial");
        if (order == 0)
            found.own_serial = serial;
        else if (order < 0)
            found.older_serial = serial;
        else if (rows_integer(rows, i, "seen_at") > 0) {
            found.newer_serial = serial;
            found.shown_at = rows_integer(rows, i, "seen_at");
            int64_t push_at = rows_integer(rows, i, "push_at");
            found.heard_at = push_at > found.shown_at ? push_at : found.shown_at;
        }
    }
    *out = found;
    return true;
}

static bool said(struct db *tx, const struct identity *identity, const char *kind,
                 const struct rivals *rivals, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const char *body = json_pairs(owner, "serial", rivals->own_serial, "before",
                                  rivals->older_serial, "given_up", rivals->newer_serial, NULL);
    return event_add(tx, kind, identity->device_id, body, now, err);
}

/* The one before is worth nothing any more. */
static bool confirm(struct db *tx, const struct identity *identity, const struct rivals *rivals,
                    int64_t now, struct err *err)
{
    return store_change(tx,
                        ASK(CERTIFICATE_REVOKE_EARLIER, TEXT(identity->enrolment_id),
                            TEXT(identity->certificate_id), INTEGER(now),
                            TEXT(revocation_reason_names[REASON_SUPERSEDED])),
                        NULL, err) &&
           said(tx, identity, "identity.renewed", rivals, now, err);
}

static bool revoke_later(struct db *tx, const struct identity *identity, int64_t now,
                         int64_t *changed, struct err *err)
{
    return store_change(tx,
                        ASK(CERTIFICATE_REVOKE_LATER, TEXT(identity->enrolment_id),
                            TEXT(identity->certificate_id), INTEGER(now),
                            TEXT(revocation_reason_names[REASON_SUPERSEDED])),
                        changed, err);
}

/* The device has put its old profile back, and with it the push address that went with it. */
static bool put_back(struct db *tx, const struct identity *identity, const struct rivals *rivals,
                     int64_t now, struct err *err)
{
    int64_t changed = 0;
    bool taken = false;
    const struct enrolment enrolment = {.id = identity->enrolment_id,
                                        .device_id = identity->device_id};
    return revoke_later(tx, identity, now, &changed, err) &&
           address_put_back(tx, &enrolment, rivals->shown_at, now, &taken, err) &&
           said(tx, identity, "identity.put_back", rivals, now, err);
}

struct speaking {
    void *owner;
    const struct identity *identity;
    int64_t now;
};

/* One message decides nothing: a connection that was open when the device changed its identity
 * goes on to show the old one. */
static bool is_undecided(const struct rivals *rivals, int64_t now)
{
    return !rivals->own_serial || /* revoked meanwhile */
           (rivals->newer_serial ? now - rivals->heard_at < PUT_BACK_SECONDS
                                 : !rivals->older_serial);
}

static bool used_run(struct db *tx, void *context, struct err *err)
{
    const struct speaking *s = context;
    struct rivals rivals;
    if (!rivals_read(tx, s->owner, s->identity, &rivals, err))
        return false;
    if (is_undecided(&rivals, s->now))
        return true;
    return rivals.newer_serial ? put_back(tx, s->identity, &rivals, s->now, err)
                               : confirm(tx, s->identity, &rivals, s->now, err);
}

bool fleet_identity_used(struct fleet *fleet, const struct actor *actor,
                         const struct identity *identity, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct speaking speaking = {owner, identity, actor->now};
    const struct change change = {.actor = actor,
                                  .work = used_run,
                                  .context = &speaking,
                                  .forget = identity->enrolment_id,
                                  .wakes = true};
    struct rivals rivals;
    if (!identity->is_contested)
        return true;
    if (!rivals_read(fleet->db, owner, identity, &rivals, err))
        return false;
    return is_undecided(&rivals, actor->now) || fleet_change(fleet, &change, err);
}

/* ---- a renewal that did not come about ---- */

static bool failed_event(struct db *tx, const struct identity *identity,
                         const struct command *command, const char *reason, int64_t now,
                         struct err *err)
{
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "command", command->id, "reason", reason, NULL);
    return event_add(tx, "identity.renewal_failed", identity->device_id, body, now, err);
}

bool renewal_failed(struct db *tx, const struct identity *identity, const struct command *command,
                    const char *reason, int64_t now, struct err *err)
{
    int64_t changed = 0;
    return store_change(tx, ASK(CHALLENGE_CANCEL_OF_ENROLMENT, TEXT(identity->enrolment_id)), NULL,
                        err) &&
           revoke_later(tx, identity, now, &changed, err) &&
           failed_event(tx, identity, command, reason, now, err);
}

bool renewal_finished(struct db *tx, const struct identity *identity, const struct command *command,
                      int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct certificate_record record = {0};
    const struct want want = {"certificate", certificate_fields};
    return store_get(tx, owner, ASK(CERTIFICATE_BY_ID, TEXT(identity->certificate_id)), want,
                     &record, err) &&
           (identity->is_outdated || record.created_at >= command->delivered_at ||
            failed_event(tx, identity, command, "the device goes on with the identity that it had",
                         now, err));
}
