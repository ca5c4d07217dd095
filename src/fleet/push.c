/* SPDX-License-Identifier: Apache-2.0 */
/* The push connector: its certificate, and whom to wake. */
#include "fleet/push.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "codec/base64.h"
#include "fleet/address.h"
#include "fleet/door.h"
#include "fleet/shared.h"
#include "model/device.h"
#include "pki/digest.h"
#include "pki/keyd.h"
#include "pki/push_certificate.h"
#include "store/store.h"

struct stored {
    char *id, *state, *topic, *key_about;
    struct bytes sealed_key, request, certificate;
    int64_t not_after, created_at;
};
static const struct field stored_rows[] = {
    TEXT_FIELD(struct stored, id, 0),           TEXT_FIELD(struct stored, state, 0),
    TEXT_FIELD(struct stored, topic, 0),        TEXT_FIELD(struct stored, key_about, 0),
    BYTES_FIELD(struct stored, sealed_key, 0),  BYTES_FIELD(struct stored, request, 0),
    BYTES_FIELD(struct stored, certificate, 0), TIME_FIELD(struct stored, not_after, 0),
    TIME_FIELD(struct stored, created_at, 0),
};

static bool stored_newest(struct fleet *fleet, void *owner, const char *state, struct stored *out,
                          bool *found, struct err *err)
{
    *out = (struct stored){0};
    return store_find(fleet->db, owner, ASK(PUSH_CERTIFICATE_NEWEST, TEXT(state)),
                      FIELDS(stored_rows), out, found, err);
}

/* ---- request ---- */

struct requesting {
    const char *id, *about;
    struct bytes sealed_key, request;
    int64_t now;
};

static bool request_run(struct db *tx, void *context, struct err *err)
{
    const struct requesting *r = context;
    return store_change(tx,
                        ASK(PUSH_CERTIFICATE_INSERT, TEXT(r->id), TEXT(r->about),
                            BYTES(r->sealed_key), BYTES(r->request), INTEGER(r->now)),
                        NULL, err);
}

bool fleet_push_request(struct fleet *fleet, const struct actor *actor, void *owner,
                        const char *email, struct bytes *request, struct err *err)
{
    struct requesting requesting = {.id = id_make(owner), .now = actor->now};
    if (!fleet_need(actor, "apple.write", err) ||
        !keyd_make_request(fleet->keyd, owner, "Muster push", email, &requesting.request,
                           &requesting.sealed_key, err) ||
        !push_request_about(owner, requesting.request, &requesting.about, err))
        return false;
    struct change change = {.actor = actor,
                            .action = "push_certificate.request",
                            .subject_kind = "push_certificate",
                            .subject_id = requesting.id,
                            .work = request_run,
                            .context = &requesting};
    if (!fleet_change(fleet, &change, err))
        return false;
    *request = requesting.request;
    return true;
}

/* ---- import ---- */

struct importing {
    void *owner;
    const struct stored *stored;
    struct push_certificate certificate;
    struct bytes der;
    int64_t now;
};

/* What profiles carry before there is a certificate: nobody can push to it. */
static bool topic_provisional(struct db *db, void *owner, char **topic, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(db, owner, ASK_ALL(ORGANIZATION_GET), &rows, err))
        return false;
    *topic = mem_format(owner, "com.apple.mgmt.External.%s",
                        rows->count ? rows_text(rows, 0, "id") : "unset");
    return true;
}

static bool topics_check(struct db *tx, const struct importing *i, struct err *err)
{
    struct rows *rows = NULL;
    char *provisional = NULL;
    if (!store_rows(tx, i->owner, ASK_ALL(ENROLMENT_TOPICS), &rows, err) ||
        !topic_provisional(tx, i->owner, &provisional, err))
        return false;
    for (size_t row = 0; row < rows->count; row++)
        if (strcmp(rows_text(rows, row, "topic"), provisional) != 0 &&
            strcmp(rows_text(rows, row, "topic"), i->certificate.topic) != 0) {
            (void)err_set(err, ERR_CONFLICT,
                          "devices are enrolled under the topic %s, the certificate is for %s",
                          rows_text(rows, row, "topic"), i->certificate.topic);
            err->remedy = "renew the certificate at Apple instead of making a new one";
            return false;
        }
    return true;
}

static bool import_run(struct db *tx, void *context, struct err *err)
{
    const struct importing *i = context;
    return topics_check(tx, i, err) &&
           store_change_one(tx,
                            ASK(PUSH_CERTIFICATE_ACTIVATE, TEXT(i->stored->id),
                                TEXT(i->certificate.topic), BYTES(i->der),
                                INTEGER(i->certificate.not_after)),
                            "the request is gone", err) &&
           store_change(tx, ASK(PUSH_CERTIFICATE_RETIRE_OTHERS, TEXT(i->stored->id)), NULL, err) &&
           store_change(tx, ASK(JOB_HASTEN, TEXT("wake"), INTEGER(i->now)), NULL, err);
}

bool fleet_push_import(struct fleet *fleet, const struct actor *actor, struct bytes certificate_der,
                       struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct stored stored;
    bool found = false;
    struct importing importing = {
        .owner = owner, .stored = &stored, .der = certificate_der, .now = actor->now};
    if (!fleet_need(actor, "apple.write", err) ||
        !push_certificate_read(owner, certificate_der, actor->now, &importing.certificate, err) ||
        !store_find(fleet->db, owner,
                    ASK(PUSH_CERTIFICATE_REQUESTED, TEXT(importing.certificate.key_about)),
                    FIELDS(stored_rows), &stored, &found, err))
        return false;
    if (!found) {
        (void)err_set(err, ERR_BAD_INPUT, "the certificate is for none of the keys requested here");
        err->remedy = "make a request first: muster apple push-certificate request";
        return false;
    }
    struct change change = {.actor = actor,
                            .action = "push_certificate.import",
                            .subject_kind = "push_certificate",
                            .subject_id = stored.id,
                            .detail = json_pairs(owner, "topic", importing.certificate.topic, NULL),
                            .work = import_run,
                            .context = &importing,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_push_get(struct fleet *fleet, const struct actor *actor, void *owner,
                    struct push_certificate_view *out, struct err *err)
{
    struct stored active, requested;
    bool has_active = false, has_request = false;
    if (!fleet_need(actor, "apple.read", err) ||
        !stored_newest(fleet, owner, "active", &active, &has_active, err) ||
        !stored_newest(fleet, owner, "requested", &requested, &has_request, err))
        return false;
    int64_t unreachable = 0;
    if (has_active && !store_number(fleet->db, ASK(ENROLMENT_UNREACHABLE, TEXT(active.topic)),
                                    "count", &unreachable, err))
        return false;
    const char *state = has_active ? "active" : has_request ? "requested" : "none";
    *out = (struct push_certificate_view){.state = mem_text(owner, state),
                                          .topic = active.topic,
                                          .not_after = active.not_after,
                                          .unreachable = unreachable,
                                          .request = requested.request};
    return true;
}

/* ---- for the room ---- */

/* Differs when the certificate does. */
static int64_t revision_of(struct bytes certificate)
{
    uint8_t sha256[32];
    int64_t revision;
    digest_sha256(certificate, sha256);
    memcpy(&revision, sha256, sizeof(revision));
    return revision;
}

static bool active_get(struct fleet *fleet, void *owner, struct stored *out, struct err *err)
{
    bool found = false;
    return stored_newest(fleet, owner, "active", out, &found, err) &&
           (found || err_set(err, ERR_PRECONDITION, "no push certificate was imported yet"));
}

bool fleet_push_revision(struct fleet *fleet, void *owner, int64_t *revision, struct err *err)
{
    struct stored active;
    if (!active_get(fleet, owner, &active, err))
        return false;
    *revision = revision_of(active.certificate);
    return true;
}

bool fleet_push_credentials(struct fleet *fleet, void *owner, struct push_credentials *out,
                            struct err *err)
{
    struct stored active;
    struct bytes key;
    if (!active_get(fleet, owner, &active, err) ||
        !keyd_open(fleet->keyd, owner, KEYD_CLASS_CONNECTOR, active.key_about, active.sealed_key,
                   &key, err))
        return false;
    *out = (struct push_credentials){.topic = active.topic,
                                     .certificate_pem =
                                         pem_encode(owner, "CERTIFICATE", active.certificate),
                                     .key_pem = /* keyd keeps it as PEM already */
                                     mem_text_part(owner, (const char *)key.data, key.size),
                                     .revision = revision_of(active.certificate)};
    bytes_wipe((void *)(uintptr_t)key.data, key.size);
    return true;
}

bool fleet_push_topic(struct fleet *fleet, void *owner, char **topic, struct err *err)
{
    struct stored active;
    bool found = false;
    if (!stored_newest(fleet, owner, "active", &active, &found, err))
        return false;
    if (!found)
        return topic_provisional(fleet->db, owner, topic, err);
    *topic = active.topic;
    return true;
}

bool fleet_push_topic_known(struct fleet *fleet, const char *topic, bool *known, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    char *current = NULL;
    char *provisional = NULL;
    if (!fleet_push_topic(fleet, owner, &current, err) ||
        !topic_provisional(fleet->db, owner, &provisional, err))
        return false;
    *known = strcmp(topic, current) == 0 || strcmp(topic, provisional) == 0;
    return true;
}

/* A certificate does not reach who enrolled under another topic. */
static bool topic_reaches(struct fleet *fleet, void *owner, const char *topic, struct err *err)
{
    struct stored active;
    bool found = false;
    if (!stored_newest(fleet, owner, "active", &active, &found, err))
        return false;
    return !found || !topic || strcmp(active.topic, topic) == 0 ||
           err_set(err, ERR_NOT_FOUND,
                   "the device enrolled before there was this push certificate");
}

bool fleet_push_target(struct fleet *fleet, void *owner, const char *enrolment_id,
                       struct push_target *out, struct err *err)
{
    struct enrolment e = {0};
    const struct want want = {"enrolment", enrolment_fields};
    struct push_target target = {0};
    int64_t open = 0;
    if (!store_get(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(enrolment_id)), want, &e, err) ||
        !store_number(fleet->db, ASK(COMMAND_OPEN_COUNT, TEXT(enrolment_id)), "count", &open, err))
        return false;
    if (open == 0) /* it fetched them in the session that it was in */
        return err_set(err, ERR_NOT_FOUND, "nothing waits for the device");
    if (e.ended_at || e.state == ENROLMENT_PENDING || e.state == ENROLMENT_BLOCKED ||
        e.push_dead_at || !e.push_token.data || !e.push_magic.data)
        return err_set(err, ERR_NOT_FOUND, "the device cannot be woken");
    if (!topic_reaches(fleet, owner, e.topic, err))
        return false;
    if (!keyd_open(fleet->keyd, owner, KEYD_CLASS_DEVICE, e.id, e.push_token, &target.token, err) ||
        !keyd_open(fleet->keyd, owner, KEYD_CLASS_DEVICE, e.id, e.push_magic, &target.magic, err) ||
        !address_before(fleet, owner, &e, &target, err))
        return false;
    target.enrolment_id = e.id;
    target.topic = e.topic;
    *out = target;
    return true;
}

struct pushing {
    const char *enrolment_id;
    int64_t at;
    const struct enrolment *enrolment; /* where known */
};

static bool sent_run(struct db *tx, void *context, struct err *err)
{
    const struct pushing *p = context;
    return store_change(tx, ASK(COMMAND_SENT, TEXT(p->enrolment_id), INTEGER(p->at)), NULL, err) &&
           store_change(tx, ASK(DELIVERED_SENT, TEXT(p->enrolment_id), INTEGER(p->at)), NULL, err);
}

bool fleet_push_sent(struct fleet *fleet, const char *enrolment_id, int64_t now, struct err *err)
{
    struct pushing pushing = {.enrolment_id = enrolment_id, .at = now};
    return db_transaction(fleet->db, sent_run, &pushing, err);
}

static bool dead_run(struct db *tx, void *context, struct err *err)
{
    const struct pushing *p = context;
    bool put_back = false;
    if (!address_put_back(tx, p->enrolment, 0, p->at, &put_back, err) || put_back)
        return put_back;
    return store_change(tx, ASK(ENROLMENT_PUSH_DEAD, TEXT(p->enrolment_id), INTEGER(p->at)), NULL,
                        err) &&
           event_add(tx, "push.dead", p->enrolment->device_id, "{}", p->at, err);
}

bool fleet_push_dead(struct fleet *fleet, const char *enrolment_id, int64_t since, int64_t now,
                     struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct enrolment e = {0};
    const struct want want = {"enrolment", enrolment_fields};
    struct pushing pushing = {.enrolment_id = enrolment_id, .at = now, .enrolment = &e};
    if (!store_get(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(enrolment_id)), want, &e, err))
        return false;
    /* it told us a new address after the service gave up the old one */
    if (e.push_at > since && since > 0)
        return true;
    return db_transaction(fleet->db, dead_run, &pushing, err);
}

static bool before_dead_run(struct db *tx, void *context, struct err *err)
{
    const struct pushing *p = context;
    return store_change(tx, ASK(ENROLMENT_PUSH_FORGET_BEFORE, TEXT(p->enrolment_id)), NULL, err);
}

bool fleet_push_before_dead(struct fleet *fleet, const char *enrolment_id, struct err *err)
{
    struct pushing pushing = {.enrolment_id = enrolment_id};
    return db_transaction(fleet->db, before_dead_run, &pushing, err);
}
