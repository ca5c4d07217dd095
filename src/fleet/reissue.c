/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/reissue.h"

#include "base/id.h"
#include "base/text.h"
#include "fleet/renew.h"
#include "model/device.h"
#include "pki/digest.h"
#include "store/store.h"

/* Of signer, key and transaction. */
static void mac_fill(void *owner, const struct certificate_asked *asked, uint8_t mac[32])
{
    uint8_t signer[32], key[32];
    digest_sha256(asked->signer, signer);
    digest_sha256(asked->spki, key);
    const char *text = mem_format(owner, "renewal %s %s %s", text_hex(owner, BYTES_OF(signer)),
                                  text_hex(owner, BYTES_OF(key)), asked->transaction_id);
    digest_sha256(bytes_text(text), mac);
}

static bool signer_judge(struct fleet *fleet, void *owner, const struct certificate_record *signer,
                         int64_t now, struct reissue *out, struct err *err)
{
    struct enrolment e = {0};
    int64_t count = 0;
    const struct want want = {"enrolment", enrolment_fields};
    bool is_device = signer->enrolment_id != NULL;
    if ((is_device && !store_get(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(signer->enrolment_id)),
                                 want, &e, err)) ||
        !store_number(fleet->db, ASK(REISSUE_COUNT, TEXT(signer->id)), "count", &count, err))
        return false;
    int64_t opens_at = renewal_opens_at(fleet->settings, signer->not_before, signer->not_after);
    out->is_spent = count >= REISSUES_MOST;
    out->objection =
        signer->state != CERTIFICATE_ISSUED                   ? "the signer is revoked"
        : now < signer->not_before || now > signer->not_after ? "the signer is not valid now"
        : is_device && e.state != ENROLMENT_ACTIVE ? "the enrolment of the signer is not active"
        : now < opens_at                           ? "it is too early to renew the signer"
                                                   : NULL;
    return true;
}

bool reissue_read(struct fleet *fleet, void *owner, const struct certificate_asked *asked,
                  int64_t now, struct reissue *out, bool *known, struct err *err)
{
    uint8_t sha256[32];
    struct certificate_record signer = {0};
    struct reissue made = {0};
    const struct want want = {"challenge", challenge_fields};
    digest_sha256(asked->signer, sha256);
    if (!store_find(fleet->db, owner, ASK(CERTIFICATE_BY_SHA256, BYTES(BYTES_OF(sha256))),
                    certificate_fields, &signer, known, err))
        return false;
    *known = *known && signer.challenge_id && bytes_equal(signer.der, asked->signer);
    if (!*known)
        return true;
    if (!store_get(fleet->db, owner, ASK(CHALLENGE_BY_ID, TEXT(signer.challenge_id)), want,
                   &made.first, err) ||
        !signer_judge(fleet, owner, &signer, now, &made, err))
        return false;
    made.wish = (struct challenge_wish){.id = id_make(owner),
                                        .enrolment_id = made.first.enrolment_id,
                                        .expectation = made.first.expectation,
                                        .purpose = made.first.purpose,
                                        .subject = made.first.subject,
                                        .renews = signer.id,
                                        .now = now,
                                        .expires_at = now + fleet->settings->challenge_seconds};
    mac_fill(owner, asked, made.wish.mac);
    *out = made;
    return true;
}

/* The enrolment first, as those who end it do. */
bool reissue_hold(struct db *tx, const struct reissue *reissue, struct err *err)
{
    const struct challenge_wish *wish = &reissue->wish;
    int64_t count = 0;
    if (wish->enrolment_id &&
        !store_change_one(tx, ASK(REISSUE_HOLD_ENROLMENT, TEXT(wish->enrolment_id)),
                          "the enrolment is not active any more", err))
        return false;
    if (!store_change_one(tx, ASK(REISSUE_HOLD_SIGNER, TEXT(wish->renews)),
                          "the signer was revoked meanwhile", err) ||
        !store_number(tx, ASK(REISSUE_COUNT, TEXT(wish->renews)), "count", &count, err))
        return false;
    return count < REISSUES_MOST || err_set(err, ERR_CONFLICT, "the signer was renewed meanwhile");
}
