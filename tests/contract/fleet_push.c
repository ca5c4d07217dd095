/* SPDX-License-Identifier: Apache-2.0 */
/* Push certificates and pushes in the tests of fleet/. */
#include <openssl/x509.h>

#include "fleet/job.h"
#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

struct bytes fixture_push_sign(struct fixture *f, struct bytes request, const char *topic,
                               int64_t days)
{
    const uint8_t *at = request.data;
    X509_REQ *parsed = d2i_X509_REQ(NULL, &at, (long)request.size);
    X509 *certificate = X509_new();
    EVP_PKEY *apple = EVP_EC_gen("P-256");
    time_t now = (time_t)f->now;
    assert_true(parsed && certificate && apple);
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_true(X509_NAME_add_entry_by_NID(name, NID_userId, MBSTRING_ASC, (const uint8_t *)topic,
                                           -1, -1, 0));
    assert_true(X509_set_pubkey(certificate, X509_REQ_get0_pubkey(parsed)) &&
                X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &now) &&
                X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, &now) &&
                X509_sign(certificate, apple, EVP_sha256()) > 0);
    uint8_t *der = mem_array(f->owner, uint8_t, 4096);
    uint8_t *end = der;
    int size = i2d_X509(certificate, NULL);
    assert_in_range(size, 1, 4096);
    (void)i2d_X509(certificate, &end);
    EVP_PKEY_free(apple);
    X509_free(certificate);
    X509_REQ_free(parsed);
    return (struct bytes){der, (size_t)size};
}

bool fixture_push_import(struct fixture *f, const char *topic, int64_t days, struct err *err)
{
    struct actor admin = fixture_admin(f);
    struct bytes request;
    assert_works(fleet_push_request(f->fleet, &admin, f->owner, "it@example.org", &request, err),
                 *err);
    return fleet_push_import(f->fleet, &admin, fixture_push_sign(f, request, topic, days), err);
}

void fixture_settle(struct fixture *f, struct wake *wake, enum wake_outcome outcome,
                    int64_t dead_since, const char *reason)
{
    struct wake_answer answer = {
        .wake = wake, .outcome = outcome, .dead_since = dead_since, .reason = reason};
    struct err err;
    assert_works(fleet_wake_settle(f->fleet, &answer, 1, f->now, &err), err);
}

struct wake *fixture_claim(struct fixture *f, size_t most, size_t *count)
{
    struct wake *wakes = NULL;
    struct err err;
    assert_works(fleet_wake_claim(f->fleet, f->owner, "apple", f->now, most, &wakes, count, &err),
                 err);
    return wakes;
}

bool phone_wake(struct fixture *f, const struct phone *phone, struct wake *out)
{
    size_t count = 0;
    bool found = false;
    struct err err;
    assert_works(fleet_job_schedule(f->fleet, "wake", phone->enrolment_id, f->now, &err), err);
    struct wake *wakes = fixture_claim(f, WAKE_CLAIM_MOST, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(wakes[i].enrolment_id, phone->enrolment_id) != 0)
            fixture_settle(f, &wakes[i], WAKE_HELD, 0, NULL);
        else {
            found = true;
            if (out)
                *out = wakes[i];
        }
    return found;
}

bool phone_push(struct fixture *f, const struct phone *phone, enum wake_outcome outcome,
                int64_t dead_since)
{
    struct wake wake;
    if (!phone_wake(f, phone, &wake))
        return false;
    fixture_settle(f, &wake, outcome, dead_since, outcome == WAKE_SENT ? NULL : "Unregistered");
    return true;
}
