/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/inquiry.h"

#include "base/text.h"
#include "fleet/certificate.h"
#include "pki/digest.h"
#include "store/store.h"

/* Who asks: *out->why says why not. */
static bool asker_find(struct fleet *fleet, void *owner, struct bytes signer, int64_t now,
                       struct certificate_record *asker, struct inquiry *out, struct err *err)
{
    uint8_t sha256[32];
    bool known = false;
    struct certificate_status status = {0};
    digest_sha256(signer, sha256);
    *asker = (struct certificate_record){0};
    if (!store_find(fleet->db, owner, ASK(CERTIFICATE_BY_SHA256, BYTES(BYTES_OF(sha256))),
                    certificate_fields, asker, &known, err))
        return false;
    known = known && bytes_equal(asker->der, signer);
    if (known && !fleet_certificate_status(fleet, asker->serial, &status, err))
        return false;
    const char *why = !known              ? "the signer is no certificate of ours"
                      : status.is_revoked ? "the signer is revoked"
                      : now < asker->not_before || now > asker->not_after
                          ? "the signer is not valid now"
                          : NULL;
    *out = (struct inquiry){why ? INQUIRY_STRANGER : INQUIRY_ANSWERED, why, NO_BYTES};
    return true;
}

static bool is_own(const struct certificate_record *asker, const struct certificate_record *wanted)
{
    return text_equal(asker->id, wanted->id) ||
           (asker->enrolment_id && text_equal(asker->enrolment_id, wanted->enrolment_id));
}

bool fleet_inquire_certificate(struct fleet *fleet, void *owner, struct bytes signer,
                               const char *serial, int64_t now, struct inquiry *out,
                               struct err *err)
{
    struct certificate_record asker, wanted = {0};
    struct inquiry answer;
    bool found = false;
    if (!asker_find(fleet, owner, signer, now, &asker, &answer, err))
        return false;
    if (answer.outcome == INQUIRY_ANSWERED) {
        if (!store_find(fleet->db, owner, ASK(CERTIFICATE_BY_SERIAL, TEXT(serial)),
                        certificate_fields, &wanted, &found, err))
            return false;
        answer =
            found && wanted.der.size > 0 && is_own(&asker, &wanted)
                ? (struct inquiry){INQUIRY_ANSWERED, NULL, wanted.der}
                : (struct inquiry){INQUIRY_FOREIGN, "no certificate of the signer's", NO_BYTES};
    }
    *out = answer;
    return true;
}

bool fleet_inquire_list(struct fleet *fleet, void *owner, struct bytes signer, int64_t authority,
                        int64_t now, struct inquiry *out, struct err *err)
{
    struct certificate_record asker;
    struct revocation_list list;
    struct inquiry answer;
    if (!asker_find(fleet, owner, signer, now, &asker, &answer, err))
        return false;
    if (answer.outcome == INQUIRY_ANSWERED) {
        if (!fleet_revocation_part_get(fleet, owner, fleet_revocation_list_of(authority, 0), now,
                                       &list, err))
            return false;
        answer.der = list.der;
    }
    *out = answer;
    return true;
}
