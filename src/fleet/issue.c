/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/issue.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/authority.h"
#include "fleet/certificate.h"
#include "fleet/door.h"
#include "fleet/issuing.h"
#include "fleet/leave.h"
#include "fleet/refusal.h"
#include "fleet/renew.h"
#include "fleet/step.h"
#include "pki/certificate.h"
#include "pki/digest.h"
#include "pki/keyd.h"
#include "store/store.h"

#define BACKDATE_SECONDS 600 /* device clocks */
#define STEPS_MOST 60        /* of one challenge: further refusals take the place of the last */

/* ---- refusals: recorded, then answered alike ---- */

struct refusing {
    const struct issuing *issuing;
    const struct objection *why;
};

static bool refusal_steps(struct db *tx, const struct refusing *r, const char *body,
                          struct err *err)
{
    const struct issuing *i = r->issuing;
    const char *id = i->challenge.id;
    int64_t now = i->actor->now, steps = 0;
    if (!id)
        return true;
    if (!store_number(tx, ASK(CERTIFICATE_STEP_COUNT, TEXT(id)), "count", &steps, err))
        return false;
    if (steps >= STEPS_MOST)
        return store_change(tx, ASK(CERTIFICATE_STEP_REPEAT, TEXT(id), TEXT(body), INTEGER(now)),
                            NULL, err);
    if (!step_add(tx, id, STEP_REQUESTED, "ok", "{}", now, err))
        return false;
    if (i->comparison && !step_add(tx, id, STEP_COMPARED, r->why->is_mismatch ? "refused" : "ok",
                                   i->comparison, now, err))
        return false;
    return step_add(tx, id, STEP_CONFIRMED, "refused", body, now, err);
}

static bool refuse_run(struct db *tx, void *context, struct err *err)
{
    const struct refusing *r = context;
    const struct issuing *i = r->issuing;
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "reason", r->why->reason, "enrolment", i->challenge.enrolment_id,
                            "request", i->challenge.id, "peer", i->actor->name, NULL);
    if (r->why->is_mismatch &&
        !store_change(tx, ASK(CHALLENGE_MISMATCH, TEXT(i->challenge.id), INTEGER(CHALLENGE_TRIES)),
                      NULL, err))
        return false;
    if (r->why->is_expired &&
        !store_change(tx, ASK(CHALLENGE_EXPIRE, TEXT(i->challenge.id)), NULL, err))
        return false;
    char peer[REFUSAL_PEER_SIZE];
    refusal_peer(i->actor->name, peer);
    const struct refusal_wish wish = {.kind = r->why->event,
                                      .peer = peer,
                                      .subject = i->challenge.id,
                                      .detail = body,
                                      .now = i->actor->now};
    return refusal_steps(tx, r, body, err) && refusal_add(tx, &wish, err);
}

static bool refuse(struct issuing *i, const struct objection *why, struct issued *out,
                   struct err *err)
{
    struct refusing refusing = {.issuing = i, .why = why};
    /* wakes nobody: strangers must not */
    struct change change = {.actor = i->actor, .work = refuse_run, .context = &refusing};
    if (!fleet_change(i->fleet, &change, err))
        return false;
    *out = (struct issued){.is_refused = true};
    return true;
}

/* ---- somebody has to decide ---- */

static bool asked_steps(struct db *tx, const struct issuing *i, struct err *err)
{
    const char *challenge = i->challenge.id;
    int64_t now = i->actor->now;
    return step_add(tx, challenge, STEP_REQUESTED, "ok",
                    json_pairs(i->owner, "peer", i->actor->name, NULL), now, err) &&
           step_add(tx, challenge, STEP_COMPARED, "ok", i->comparison, now, err);
}

static bool wait_run(struct db *tx, void *context, struct err *err)
{
    const struct issuing *i = context;
    int64_t now = i->actor->now;
    const char *body = json_pairs(i->owner, "request", i->challenge.id, "subject",
                                  i->challenge.subject, "peer", i->actor->name, NULL);
    return store_change_one(tx,
                            ASK(CHALLENGE_WAIT, TEXT(i->challenge.id),
                                BYTES(BYTES_OF(i->spki_sha256)), TEXT(i->asked->transaction_id),
                                BYTES(BYTES_OF(i->request_sha256)),
                                INTEGER(now + APPROVAL_SECONDS)),
                            "the challenge was used meanwhile", err) &&
           asked_steps(tx, i, err) && event_add(tx, "certificate.waiting", NULL, body, now, err);
}

/* ---- reserve, sign, record ---- */

static int64_t renewal_at(const struct issuing *i)
{
    if (!i->challenge.enrolment_id)
        return 0; /* what is no device renews by itself */
    return renewal_planned_at(i->fleet->settings, i->challenge.enrolment_id, i->not_before,
                              i->not_after);
}

static bool reserve_run(struct db *tx, void *context, struct err *err)
{
    const struct issuing *i = context;
    const char *challenge = i->challenge.id;
    int64_t now = i->actor->now;
    bool was_approved = i->challenge.state == CHALLENGE_APPROVED;
    if (i->reissue &&
        (!reissue_hold(tx, i->reissue, err) || !challenge_insert(tx, &i->reissue->wish, err)))
        return false;
    return store_change_one(tx,
                            ASK(CHALLENGE_USE, TEXT(challenge), INTEGER(now),
                                BYTES(BYTES_OF(i->spki_sha256)), TEXT(i->asked->transaction_id),
                                TEXT(i->certificate_id)),
                            "the challenge was used meanwhile", err) &&
           store_change(
               tx,
               ASK(CERTIFICATE_RESERVE, TEXT(i->certificate_id), TEXT(i->challenge.enrolment_id),
                   TEXT(challenge), TEXT(i->challenge.purpose), TEXT(i->serial_text),
                   TEXT(i->subject), BYTES(BYTES_OF(i->spki_sha256)),
                   BYTES(was_approved ? i->challenge.request_sha256 : BYTES_OF(i->request_sha256)),
                   INTEGER(i->not_before), INTEGER(i->not_after), INTEGER(now), TIME(renewal_at(i)),
                   INTEGER(i->list_part), INTEGER(i->authority)),
               NULL, err) &&
           (was_approved || (asked_steps(tx, i, err) &&
                             step_add(tx, challenge, STEP_CONFIRMED, "ok", "{}", now, err)));
}

static char *list_url(const struct issuing *i)
{
    return fleet_revocation_url(i->owner, i->fleet->settings,
                                fleet_revocation_list_of(i->authority, i->list_part), false);
}

static char *issuer_url(const struct issuing *i)
{
    const char *plain = i->fleet->settings->plain_url;
    return i->authority == 1
               ? mem_format(i->owner, "%s/ca/issuing.cer", plain)
               : mem_format(i->owner, "%s/ca/%lld/issuing.cer", plain, (long long)i->authority);
}

static bool certificate_sign(struct issuing *i, struct err *err)
{
    const char *plain = i->fleet->settings->plain_url;
    const struct split_alternatives *names = &i->expected.alternative;
    bool is_network = expected_is_network(&i->expected);
    bool is_host = is_network && (names->dns[0] || names->ip[0]);
    struct issue_fields fields = {.authority = i->authority,
                                  .purpose = !is_network ? PURPOSE_MDM_IDENTITY
                                             : is_host   ? PURPOSE_NETWORK_HOST
                                                         : PURPOSE_NETWORK,
                                  .common_name = i->expected.common_name,
                                  .organization = i->expected.organization,
                                  .san_uri = is_network ? names->uri : i->expected.san_uri,
                                  .san_dns = (const char *const *)names->dns,
                                  .san_ip = (const char *const *)names->ip,
                                  .spki = i->asked->spki,
                                  .not_before = i->not_before,
                                  .not_after = i->not_after,
                                  .crl_url = list_url(i),
                                  .ocsp_url = mem_format(i->owner, "%s/ocsp", plain),
                                  .issuer_url = issuer_url(i)};
    struct certificate made;
    memcpy(fields.serial, i->serial, sizeof(fields.serial));
    if (!keyd_issue(i->fleet->keyd, i->owner, &fields, &i->der, err) ||
        !certificate_parse(i->owner, i->der, &made, err))
        return false;
    i->not_before = made.not_before;
    i->not_after = made.not_after;
    return true;
}

static bool record_run(struct db *tx, void *context, struct err *err)
{
    const struct issuing *i = context;
    uint8_t sha256[32];
    digest_sha256(i->der, sha256);
    const char *body =
        json_pairs(i->owner, "certificate", i->certificate_id, "serial", i->serial_text, NULL);
    return store_change_one(tx,
                            ASK(CERTIFICATE_ISSUE, TEXT(i->certificate_id), BYTES(i->der),
                                BYTES(BYTES_OF(sha256)), INTEGER(i->not_before),
                                INTEGER(i->not_after), TEXT(i->subject), TIME(renewal_at(i)),
                                INTEGER(i->authority)),
                            "the certificate was issued meanwhile", err) &&
           revocation_part_use(tx, fleet_revocation_list_of(i->authority, i->list_part),
                               list_url(i), i->actor->now, err) &&
           step_add(tx, i->challenge.id, STEP_ISSUED, "ok", body, i->actor->now, err) &&
           event_add(tx, "certificate.issued", NULL, body, i->actor->now, err);
}

static bool refuse_because(struct issuing *i, const char *event, const char *reason,
                           struct issued *out, struct err *err)
{
    return refuse(i, &(struct objection){.event = event, .reason = reason}, out, err);
}

/* What the row says, when it has come to an end: *known. */
static bool record_answer(struct issuing *i, const char *id, struct certificate_record *record,
                          struct issued *out, bool *known, struct err *err)
{
    const struct want want = {"certificate", certificate_fields};
    *record = (struct certificate_record){0};
    if (!store_get(i->fleet->db, i->owner, ASK(CERTIFICATE_BY_ID, TEXT(id)), want, record, err))
        return false;
    *known = record->state != CERTIFICATE_RESERVED;
    if (record->state == CERTIFICATE_REVOKED || record->state == CERTIFICATE_HELD)
        return refuse_because(i, "certificate.refused", "the certificate is revoked", out, err);
    if (*known)
        *out = (struct issued){.der = record->der};
    return true;
}

static bool sign_and_record(struct issuing *i, struct issued *out, struct err *err)
{
    struct certificate_record record;
    bool known = false;
    struct change change = {.actor = i->actor,
                            .work = record_run,
                            .context = i,
                            .action = "certificate.issue",
                            .subject_kind = "certificate",
                            .subject_id = i->certificate_id,
                            .forget = i->challenge.enrolment_id,
                            .wakes = true};
    if (!certificate_sign(i, err))
        return false;
    if (fleet_change(i->fleet, &change, err)) {
        *out = (struct issued){.der = i->der};
        return true;
    }
    /* the same request sent twice at once: the other one was first, or it was revoked already */
    return err->kind == ERR_CONFLICT &&
           record_answer(i, i->certificate_id, &record, out, &known, err) &&
           (known || err_set(err, ERR_UNAVAILABLE, "the certificate is being issued"));
}

/* At random, so that the lists grow alike. */
static int64_t list_part_choose(const struct issuing *i)
{
    int64_t parts = i->fleet->settings->revocation_parts;
    int64_t chance = i->serial[14] << 8 | i->serial[15];
    return parts > 1 ? 1 + chance % parts : 0;
}

static void certificate_prepare(struct issuing *i)
{
    certificate_serial_make(i->serial);
    i->serial_text = text_hex(i->owner, BYTES_OF(i->serial));
    i->certificate_id = id_make(i->owner);
    i->list_part = list_part_choose(i);
    i->not_before = i->actor->now - BACKDATE_SECONDS;
    i->not_after = i->actor->now + i->fleet->settings->certificate_seconds;
}

/* A lost answer, or a crash between reserving and signing: the same serial, the same certificate.
 */
static bool issue_again(struct issuing *i, struct issued *out, struct err *err)
{
    struct certificate_record record;
    struct bytes serial;
    bool known = false;
    if (!record_answer(i, i->challenge.certificate_id, &record, out, &known, err))
        return false;
    if (known)
        return true;
    if (!issuing_expect(i, err) || !text_unhex(i->owner, record.serial, &serial, err))
        return false;
    memcpy(i->serial, serial.data, sizeof(i->serial));
    i->serial_text = record.serial;
    i->certificate_id = record.id;
    i->subject = record.subject;
    i->list_part = record.list_part;
    i->not_before = record.not_before;
    i->not_after = record.not_after;
    return sign_and_record(i, out, err);
}

/* Another request has used the challenge since we looked. */
static bool issue_after_another(struct issuing *i, struct issued *out, struct err *err)
{
    bool found = false;
    i->challenge = (struct challenge){0};
    if (!issuing_find(i, &found, err))
        return false;
    if (found && issuing_is_repeat(i))
        return issue_again(i, out, err);
    if (found && issuing_is_waiting(i)) {
        *out = (struct issued){.is_pending = true};
        return true;
    }
    if (!i->reissue)
        return refuse_because(i, "certificate.replay", "the challenge was used meanwhile", out,
                              err);
    i->challenge = i->reissue->first;
    return refuse_because(i, "certificate.refused", "the signer renews nothing any more", out, err);
}

static bool wait_for_decision(struct issuing *i, struct issued *out, struct err *err)
{
    struct change change = {.actor = i->actor, .work = wait_run, .context = i, .wakes = true};
    if (!fleet_change(i->fleet, &change, err))
        return err->kind == ERR_CONFLICT && issue_after_another(i, out, err);
    *out = (struct issued){.is_pending = true};
    return true;
}

static bool issue_new(struct issuing *i, struct issued *out, struct err *err)
{
    struct objection objection;
    if (!issuing_object(i, &objection, err))
        return false;
    if (objection.reason)
        return refuse(i, &objection, out, err);
    if (i->challenge.needs_approval && !i->reissue && i->challenge.state == CHALLENGE_DELIVERED)
        return wait_for_decision(i, out, err);
    if (i->reissue)
        i->challenge.id = mem_text(i->owner, i->reissue->wish.id);
    certificate_prepare(i);
    struct change change = {.actor = i->actor, .work = reserve_run, .context = i, .wakes = true};
    if (!fleet_change(i->fleet, &change, err))
        return err->kind == ERR_CONFLICT && issue_after_another(i, out, err);
    return sign_and_record(i, out, err);
}

/* Until it is written down, the request is judged, and its refusal traced, by the challenge that
 * the signer came from. */
static bool issue_signed(struct issuing *i, struct issued *out, struct err *err)
{
    struct reissue reissue;
    bool known = false, found = false;
    if (!reissue_read(i->fleet, i->owner, i->asked, i->actor->now, &reissue, &known, err))
        return false;
    if (!known)
        return refuse_because(i, "certificate.refused", "the signer is no certificate of ours", out,
                              err);
    i->reissue = &reissue;
    i->challenge = reissue.first;
    if (reissue.objection)
        return refuse_because(i, "certificate.refused", reissue.objection, out, err);
    i->challenge = (struct challenge){0};
    if (!issuing_find(i, &found, err))
        return false;
    if (found)
        return issuing_is_repeat(i)
                   ? issue_again(i, out, err)
                   : refuse_because(i, "certificate.replay",
                                    "the same renewal was asked for before", out, err);
    i->challenge = reissue.first;
    if (reissue.is_spent)
        return refuse_because(i, "certificate.refused", "the signer was renewed before", out, err);
    i->challenge.state = CHALLENGE_DELIVERED;
    i->challenge.expires_at = reissue.wish.expires_at;
    return issue_new(i, out, err);
}

bool fleet_issue(struct fleet *fleet, const struct actor *actor, void *owner,
                 const struct certificate_asked *asked, struct issued *out, struct err *err)
{
    struct issuing issuing = {.owner = owner,
                              .fleet = fleet,
                              .actor = actor,
                              .asked = asked,
                              .authority = fleet_authority_number(fleet)};
    bool found = false, agrees = true;
    digest_sha256(asked->spki, issuing.spki_sha256);
    if (!asked->is_poll)
        digest_sha256(asked->request, issuing.request_sha256);
    if (asked->signer.data)
        return issue_signed(&issuing, out, err);
    if (!issuing_find(&issuing, &found, err))
        return false;
    if (!found) {
        const char *why =
            asked->is_poll ? "nothing was asked for that waits" : "the challenge is unknown";
        if (!refuse_because(&issuing, "certificate.refused", why, out, err))
            return false;
        out->is_unknown = true;
        return true;
    }
    if (asked->is_poll && !issuing_poll_agrees(&issuing, &agrees, err))
        return false;
    if (!agrees)
        return refuse_because(&issuing, "certificate.refused", "the poll names another subject",
                              out, err);
    if (issuing_is_waiting(&issuing)) {
        *out = (struct issued){.is_pending = true};
        return true;
    }
    return issuing_is_repeat(&issuing) ? issue_again(&issuing, out, err)
                                       : issue_new(&issuing, out, err);
}
