/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/adopt.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/certificate.h"
#include "fleet/challenge.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/queue.h"
#include "fleet/renew.h"
#include "fleet/step.h"
#include "model/device.h"
#include "pki/digest.h"
#include "store/store.h"

#define URI_PREFIX "urn:uuid:" /* before the enrolment, as fleet/challenge.c has it made */

struct adopting {
    void *owner;
    const struct certificate *certificate;
    const struct fleet_settings *settings;
    const struct actor *actor;
    const char *enrolment_id;
    uint8_t sha256[32], spki_sha256[32];
    const char *subject;
    struct enrolment enrolment;
    bool done;
};

/* The enrolment that the certificate names, or NULL. */
static const char *enrolment_named(const struct certificate *certificate)
{
    const char *uri = certificate->san_uri;
    size_t size = strlen(URI_PREFIX);
    if (!uri || strncmp(uri, URI_PREFIX, size) != 0 || certificate->is_authority)
        return NULL;
    return text_equal(uri + size, certificate->common_name) ? uri + size : NULL;
}

static bool is_known(struct db *tx, const struct adopting *a, bool *known, struct err *err)
{
    struct rows *serials = NULL, *keys = NULL, *newest = NULL;
    if (!store_rows(tx, a->owner, ASK(CERTIFICATE_BY_SERIAL, TEXT(a->certificate->serial)),
                    &serials, err) ||
        !store_rows(tx, a->owner,
                    ASK(CERTIFICATE_OTHER_DEVICE_BY_SPKI, BYTES(BYTES_OF(a->spki_sha256)),
                        TEXT(a->enrolment_id), TEXT(a->subject)),
                    &keys, err) ||
        !store_rows(tx, a->owner, ASK(CERTIFICATE_NEWEST_BEGIN, TEXT(a->enrolment_id)), &newest,
                    err))
        return false;
    *known = serials->count > 0 || keys->count > 0 ||
             a->certificate->not_before < rows_integer(newest, 0, "at");
    return true;
}

static bool may_adopt(struct db *tx, struct adopting *a, bool *may, struct err *err)
{
    bool found = false, known = true;
    int64_t now = a->actor->now;
    a->enrolment = (struct enrolment){0};
    if (!store_find(tx, a->owner, ASK(ENROLMENT_BY_ID, TEXT(a->enrolment_id)), enrolment_fields,
                    &a->enrolment, &found, err) ||
        !is_known(tx, a, &known, err))
        return false;
    *may = found && !known && a->enrolment.state == ENROLMENT_ACTIVE && a->enrolment.device_id &&
           a->certificate->not_before <= now && now <= a->certificate->not_after;
    return true;
}

static bool certificate_write(struct db *tx, const struct adopting *a, const char *id,
                              struct err *err)
{
    const struct certificate *c = a->certificate;
    int64_t now = a->actor->now;
    int64_t named = c->crl_url ? fleet_revocation_part_of(c->crl_url) : 0;
    int64_t list = named > 0 ? named : 0;
    int64_t renew_at =
        renewal_planned_at(a->settings, a->enrolment_id, c->not_before, c->not_after);
    return store_change(tx,
                        ASK(CERTIFICATE_RESERVE, TEXT(id), TEXT(a->enrolment_id), TEXT(NULL),
                            TEXT(CHALLENGE_PURPOSE), TEXT(c->serial), TEXT(a->subject),
                            BYTES(BYTES_OF(a->spki_sha256)), BYTES(NO_BYTES),
                            INTEGER(c->not_before), INTEGER(c->not_after), INTEGER(now),
                            TIME(renew_at), INTEGER(list % REVOCATION_PARTS),
                            INTEGER(fleet_revocation_authority(list))),
                        NULL, err) &&
           revocation_part_use(tx, list, c->crl_url, now, err) &&
           store_change_one(tx,
                            ASK(CERTIFICATE_ISSUE, TEXT(id), BYTES(c->der),
                                BYTES(BYTES_OF(a->sha256)), INTEGER(c->not_before),
                                INTEGER(c->not_after), TEXT(a->subject), TIME(renew_at),
                                INTEGER(fleet_revocation_authority(list))),
                            "the certificate was taken meanwhile", err) &&
           certificate_seen(tx, id, now, err);
}

static bool adopt_run(struct db *tx, void *context, struct err *err)
{
    struct adopting *a = context;
    const char *id = id_make(a->owner);
    const struct queued renewal = {.enrolment_id = a->enrolment_id,
                                   .kind = COMMAND_RENEW_IDENTITY,
                                   .created_by = "system",
                                   .now = a->actor->now};
    const struct actor system = fleet_system_actor(a->actor->now);
    const char *detail = json_pairs(a->owner, "serial", a->certificate->serial, "enrolment",
                                    a->enrolment_id, "peer", a->actor->name, NULL);
    const struct change audited = {.actor = &system,
                                   .action = "certificate.adopt",
                                   .subject_kind = "certificate",
                                   .subject_id = id,
                                   .detail = detail};
    a->done = false;
    bool may = false;
    if (!may_adopt(tx, a, &may, err))
        return false;
    if (!may)
        return true;
    a->done = true;
    return certificate_write(tx, a, id, err) && command_queue(tx, &renewal, err) &&
           event_add(tx, "identity.adopted", a->enrolment.device_id, detail, a->actor->now, err) &&
           change_audit(tx, &audited, err);
}

bool fleet_certificate_adopt(struct fleet *fleet, const struct actor *actor,
                             const struct certificate *certificate, bool *adopted, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct adopting a = {.owner = owner,
                         .certificate = certificate,
                         .settings = fleet->settings,
                         .actor = actor,
                         .enrolment_id = enrolment_named(certificate),
                         .subject = name_text(owner, &certificate->subject)};
    *adopted = false;
    if (!a.enrolment_id)
        return true;
    digest_sha256(certificate->der, a.sha256);
    digest_sha256(certificate->spki, a.spki_sha256);
    const struct change change = {
        .actor = actor, .work = adopt_run, .context = &a, .forget = a.enrolment_id, .wakes = true};
    if (!fleet_change(fleet, &change, err))
        return false;
    *adopted = a.done;
    return true;
}

bool fleet_certificate_is_network(struct fleet *fleet, struct bytes der, bool *out, struct err *err)
{
    uint8_t sha256[32];
    int64_t count = 0;
    digest_sha256(der, sha256);
    if (!store_number(fleet->db, ASK(CERTIFICATE_NETWORK_COUNT, BYTES(BYTES_OF(sha256))), "count",
                      &count, err))
        return false;
    *out = count > 0;
    return true;
}
