/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/issuing.h"

#include <string.h>

#include "base/text.h"
#include "fleet/door.h"
#include "model/device.h"
#include "pki/keyd.h"
#include "store/store.h"

bool issuing_find(struct issuing *i, bool *found, struct err *err)
{
    uint8_t mac[32];
    *found = false;
    if (i->asked->is_poll)
        return store_find(
            i->fleet->db, i->owner,
            ASK(CHALLENGE_BY_POLL, BYTES(BYTES_OF(i->spki_sha256)), TEXT(i->asked->transaction_id)),
            challenge_fields, &i->challenge, found, err);
    if (i->reissue)
        return store_find(i->fleet->db, i->owner,
                          ASK(CHALLENGE_BY_MAC, BYTES(BYTES_OF(i->reissue->wish.mac))),
                          challenge_fields, &i->challenge, found, err);
    if (!i->asked->challenge || !*i->asked->challenge)
        return true;
    return keyd_mac(i->fleet->keyd, KEYD_MAC_CHALLENGE, bytes_text(i->asked->challenge), mac,
                    err) &&
           store_find(i->fleet->db, i->owner, ASK(CHALLENGE_BY_MAC, BYTES(BYTES_OF(mac))),
                      challenge_fields, &i->challenge, found, err);
}

static bool is_same_request(const struct issuing *i)
{
    return bytes_equal(i->challenge.used_spki, BYTES_OF(i->spki_sha256)) &&
           text_equal(i->challenge.used_transaction, i->asked->transaction_id);
}

bool issuing_is_repeat(const struct issuing *i)
{
    /* who signs with a good certificate proves more than a challenge, which others may have heard
     */
    return i->challenge.state == CHALLENGE_USED && is_same_request(i) &&
           (i->reissue || i->actor->now - i->challenge.used_at < CHALLENGE_REPEAT_SECONDS);
}

bool issuing_is_waiting(const struct issuing *i)
{
    return i->challenge.state == CHALLENGE_WAITING && is_same_request(i) &&
           i->challenge.expires_at > i->actor->now;
}

/* Approved, and asked for again: it was compared before. */
static bool is_approved(const struct issuing *i)
{
    return i->challenge.state == CHALLENGE_APPROVED && is_same_request(i);
}

static bool enrolment_open(struct issuing *i, bool *open, struct err *err)
{
    struct enrolment e = {0};
    const struct want want = {"enrolment", enrolment_fields};
    if (!i->challenge.enrolment_id) {
        *open = true;
        return true;
    }
    if (!store_get(i->fleet->db, i->owner, ASK(ENROLMENT_BY_ID, TEXT(i->challenge.enrolment_id)),
                   want, &e, err))
        return false;
    *open = e.state == ENROLMENT_PENDING || e.state == ENROLMENT_ACTIVE;
    return true;
}

static bool key_is_foreign(struct issuing *i, bool *foreign, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(i->fleet->db, i->owner,
                    ASK(CERTIFICATE_OTHER_DEVICE_BY_SPKI, BYTES(BYTES_OF(i->spki_sha256)),
                        TEXT(i->challenge.enrolment_id), TEXT(i->subject)),
                    &rows, err))
        return false;
    *foreign = rows->count > 0;
    return true;
}

bool issuing_expect(struct issuing *i, struct err *err)
{
    if (!expected_parse(i->owner, i->challenge.expectation, &i->expected, err))
        return false;
    const char *name = i->expected.common_name, *house = i->expected.organization;
    i->subject = house ? mem_format(i->owner, "O=%s, CN=%s", house, name)
                       : mem_format(i->owner, "CN=%s", name);
    return true;
}

/* A challenge that could be used has ended meanwhile. */
static bool has_expired(const struct issuing *i)
{
    int state = i->challenge.state;
    if (state == CHALLENGE_EXPIRED)
        return true;
    return (state == CHALLENGE_DELIVERED || state == CHALLENGE_WAITING ||
            state == CHALLENGE_APPROVED) &&
           i->challenge.expires_at <= i->actor->now;
}

bool issuing_object(struct issuing *i, struct objection *out, struct err *err)
{
    bool open = false, foreign = false, agrees = false;
    *out = (struct objection){.event = "certificate.refused"};
    if (!has_expired(i) && i->challenge.state != CHALLENGE_DELIVERED && !is_approved(i)) {
        out->event = i->challenge.state == CHALLENGE_USED ? "certificate.replay" : out->event;
        out->reason =
            mem_format(i->owner, "the challenge is %s", challenge_state_names[i->challenge.state]);
        return true;
    }
    if (has_expired(i)) {
        out->is_expired = true;
        out->reason = "the challenge has expired";
        return true;
    }
    if (!issuing_expect(i, err) || !enrolment_open(i, &open, err) ||
        !key_is_foreign(i, &foreign, err))
        return false;
    agrees = is_approved(i);
    if (!agrees)
        expected_compare(i->owner, &i->expected, i->asked, &agrees, &i->comparison);
    out->is_mismatch = !agrees;
    out->event = agrees ? out->event : "certificate.mismatch";
    out->reason = !open     ? "the enrolment has ended"
                  : foreign ? "the key is certified for another device"
                  : !agrees ? "the request asks for something else than expected"
                            : i->asked->objection;
    return true;
}

bool issuing_poll_agrees(struct issuing *i, bool *agrees, struct err *err)
{
    const struct certificate_asked *asked = i->asked;
    if (!issuing_expect(i, err))
        return false;
    *agrees = false;
    for (size_t n = 0; n < asked->attribute_count; n++)
        if (strcmp(asked->attributes[n].name, "subject.CN") == 0)
            *agrees = strcmp(asked->attributes[n].value, i->expected.common_name) == 0;
    return true;
}
