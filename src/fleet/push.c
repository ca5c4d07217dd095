/* SPDX-License-Identifier: Apache-2.0 */
/* The push connector: its certificate. */
#include "fleet/push.h"

#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "codec/base64.h"
#include "fleet/door.h"
#include "fleet/shared.h"
#include "pki/digest.h"
#include "pki/keyd.h"
#include "pki/push_certificate.h"
#include "store/store.h"

#define REVIVED_MOST 1000 /* of one import */

struct stored {
    char *id, *state, *topic, *key_about, *account, *pause_reason;
    struct bytes sealed_key, request, certificate;
    int64_t not_after, created_at, paused_at, warned_days;
};
static const struct field stored_rows[] = {
    TEXT_FIELD(struct stored, id, 0),
    TEXT_FIELD(struct stored, state, 0),
    TEXT_FIELD(struct stored, topic, 0),
    TEXT_FIELD(struct stored, key_about, 0),
    BYTES_FIELD(struct stored, sealed_key, 0),
    BYTES_FIELD(struct stored, request, 0),
    BYTES_FIELD(struct stored, certificate, 0),
    TIME_FIELD(struct stored, not_after, 0),
    TIME_FIELD(struct stored, created_at, 0),
    TEXT_FIELD(struct stored, account, 0),
    TIME_FIELD(struct stored, paused_at, 0),
    TEXT_FIELD(struct stored, pause_reason, 0),
    INTEGER_FIELD(struct stored, warned_days, 0),
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
    const char *id, *about, *account;
    struct bytes sealed_key, request;
    int64_t now;
};

static bool request_run(struct db *tx, void *context, struct err *err)
{
    const struct requesting *r = context;
    return store_change(tx,
                        ASK(PUSH_CERTIFICATE_INSERT, TEXT(r->id), TEXT(r->about),
                            BYTES(r->sealed_key), BYTES(r->request), INTEGER(r->now),
                            TEXT(r->account)),
                        NULL, err);
}

bool fleet_push_request(struct fleet *fleet, const struct actor *actor, void *owner,
                        const char *account, struct bytes *request, struct err *err)
{
    struct requesting requesting = {.id = id_make(owner), .account = account, .now = actor->now};
    struct stored active;
    bool found = false;
    if (!fleet_need(actor, "apple.write", err) ||
        !stored_newest(fleet, owner, "active", &active, &found, err))
        return false;
    if (!account && found)
        requesting.account = active.account;
    if (!keyd_make_request(fleet->keyd, owner, "Muster push", requesting.account,
                           &requesting.request, &requesting.sealed_key, err) ||
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
    char *provisional = NULL;
    const char *topic = "";
    if (!topic_provisional(tx, i->owner, &provisional, err))
        return false;
    for (;;) {
        struct rows *rows = NULL;
        if (!store_rows(tx, i->owner, ASK(ENROLMENT_TOPIC_NEXT, TEXT(topic)), &rows, err))
            return false;
        if (rows->count == 0)
            return true;
        topic = rows_text(rows, 0, "topic");
        if (strcmp(topic, provisional) == 0 || strcmp(topic, i->certificate.topic) == 0)
            continue;
        (void)err_set(err, ERR_CONFLICT,
                      "devices are enrolled under the topic %s, the certificate is for %s", topic,
                      i->certificate.topic);
        err->remedy = "renew the certificate at Apple instead of making a new one";
        return false;
    }
}

/* It may have been the certificate that did not fit, not the devices. */
static bool refused_revive(struct db *tx, const struct importing *i, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, i->owner, ASK(WAKE_REFUSED, INTEGER(REVIVED_MOST)), &rows, err))
        return false;
    for (size_t row = 0; row < rows->count; row++) {
        const char *id = rows_text(rows, row, "id");
        if (!store_change(tx, ASK(WAKE_REVIVE, TEXT(id)), NULL, err) ||
            !job_add(tx, "wake", id, i->now, err))
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
           refused_revive(tx, i, err) &&
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
    const char *state = has_active && active.not_after <= actor->now ? "expired"
                        : has_active && active.paused_at             ? "paused"
                        : has_active                                 ? "active"
                        : has_request                                ? "requested"
                                                                     : "none";
    *out =
        (struct push_certificate_view){.state = mem_text(owner, state),
                                       .topic = active.topic,
                                       .account = has_active ? active.account : requested.account,
                                       .paused_at = active.paused_at,
                                       .pause_reason = active.pause_reason,
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

/* ---- does it work? ---- */

bool fleet_push_state(struct fleet *fleet, void *owner, struct push_state *out, struct err *err)
{
    struct stored active;
    bool found = false;
    if (!stored_newest(fleet, owner, "active", &active, &found, err))
        return false;
    *out = (struct push_state){.is_active = found};
    if (found)
        *out = (struct push_state){.is_active = true,
                                   .id = active.id,
                                   .topic = active.topic,
                                   .not_after = active.not_after,
                                   .paused_at = active.paused_at,
                                   .revision = revision_of(active.certificate)};
    return true;
}

struct turning { /* a pause or its end, or a warning */
    const char *id, *reason, *event, *body;
    int64_t now, days;
};

static bool pause_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    int64_t changed = 0;
    return store_change(tx,
                        ASK(PUSH_CERTIFICATE_PAUSE, TEXT(t->id), INTEGER(t->now), TEXT(t->reason)),
                        &changed, err) &&
           (changed == 0 || event_add(tx, t->event, NULL, t->body, t->now, err));
}

bool fleet_push_pause(struct fleet *fleet, const char *id, const char *reason, int64_t now,
                      struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct turning turning = {.id = id,
                              .reason = reason,
                              .event = "push.paused",
                              .body = json_pairs(owner, "reason", reason, NULL),
                              .now = now};
    return db_transaction(fleet->db, pause_run, &turning, err);
}

static bool resume_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    int64_t changed = 0;
    return store_change(tx, ASK(PUSH_CERTIFICATE_RESUME, TEXT(t->id)), &changed, err) &&
           (changed == 0 || event_add(tx, "push.resumed", NULL, "{}", t->now, err));
}

bool fleet_push_resume(struct fleet *fleet, const char *id, int64_t now, struct err *err)
{
    struct turning turning = {.id = id, .now = now};
    return db_transaction(fleet->db, resume_run, &turning, err);
}

/* ---- before it ends ---- */

#define DAY_SECONDS INT64_C(86400)

static const int64_t warn_days[] = {1, 7, 14, 30, 60};

static bool warn_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    int64_t changed = 0;
    return store_change(tx, ASK(PUSH_CERTIFICATE_WARNED, TEXT(t->id), INTEGER(t->days)), &changed,
                        err) &&
           (changed == 0 || event_add(tx, "push_certificate.expires", NULL, t->body, t->now, err));
}

/* The step that holds for so much time; 0: none yet. */
static int64_t step_of(int64_t seconds)
{
    for (size_t i = 0; i < COUNT(warn_days); i++)
        if (seconds <= warn_days[i] * DAY_SECONDS)
            return warn_days[i];
    return 0;
}

bool fleet_push_warn(struct fleet *fleet, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct stored active;
    bool found = false;
    if (!stored_newest(fleet, owner, "active", &active, &found, err))
        return false;
    int64_t step = found ? step_of(active.not_after - now) : 0;
    if (step == 0)
        return true;
    if (active.not_after <= now)
        return active.paused_at ||
               fleet_push_pause(fleet, active.id, "the push certificate has expired", now, err);
    if (active.warned_days && active.warned_days <= step)
        return true;
    struct turning turning = {.id = active.id, .days = step, .now = now};
    turning.body = json_pairs(owner, "days", mem_format(owner, "%lld", (long long)step),
                              "not_after", time_text(owner, active.not_after), "topic",
                              active.topic, "account", active.account ? active.account : "", NULL);
    return db_transaction(fleet->db, warn_run, &turning, err);
}
