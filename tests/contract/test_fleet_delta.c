/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of changes beside the revocation lists: what is in them, and from which list they count. */
#include "base/text.h"
#include "fleet/block.h"
#include "fleet/certificate.h"
#include "pki/certificate.h"
#include "pki/keyd.h"
#include "pki/openssl.h"
#include "tests/contract/renewal.h"

#define DELTA_SECONDS 3600
#define DAY_SECONDS 86400

static X509_CRL *taken(struct bytes der)
{
    X509_CRL *crl = DER_READ(d2i_X509_CRL, der);
    assert_non_null(crl);
    return crl;
}

static X509_CRL *whole_of(struct fixture *f, int64_t part)
{
    struct revocation_list list;
    struct err err;
    assert_works(fleet_revocation_part_get(f->fleet, f->owner, part, f->now, &list, &err), err);
    return taken(list.der);
}

static X509_CRL *delta_of(struct fixture *f, int64_t part)
{
    struct revocation_list list;
    struct err err;
    assert_works(fleet_revocation_delta_get(f->fleet, f->owner, part, f->now, &list, &err), err);
    assert_true(list.next_update > f->now && list.next_update <= f->now + DELTA_SECONDS);
    return taken(list.der);
}

static int64_t number_of(X509_CRL *crl, int nid)
{
    ASN1_INTEGER *integer = X509_CRL_get_ext_d2i(crl, nid, NULL, NULL);
    int64_t number = -1;
    if (integer)
        assert_int_equal(ASN1_INTEGER_get_int64(&number, integer), 1);
    ASN1_INTEGER_free(integer);
    return number;
}

static struct certificate certificate_of(struct fixture *f, const struct phone *phone)
{
    struct certificate certificate;
    struct err err;
    assert_works(certificate_parse(f->owner, phone->der, &certificate, &err), err);
    return certificate;
}

/* Its reason in the list, -1: it is not in it. */
static int reason_in(struct fixture *f, X509_CRL *crl, const struct phone *phone)
{
    struct bytes serial;
    struct err err;
    assert_works(text_unhex(f->owner, certificate_of(f, phone).serial, &serial, &err), err);
    CLEANUP(BN_free_at) BIGNUM *number = BN_bin2bn(serial.data, (int)serial.size, NULL);
    CLEANUP(ASN1_INTEGER_free_at) ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    for (int i = 0; i < sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)); i++) {
        X509_REVOKED *entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), i);
        if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(entry), integer) != 0)
            continue;
        ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
        int reason = code ? (int)ASN1_ENUMERATED_get(code) : 0;
        ASN1_ENUMERATED_free(code);
        return reason;
    }
    return -1;
}

static void lists_make(struct fixture *f)
{
    struct err err;
    assert_works(fleet_revocation_list_make(f->fleet, f->now, &err), err);
}

static void block(struct fixture *f, const struct phone *phone, bool is_blocked)
{
    struct actor admin = fixture_admin(f);
    struct err err;
    assert_works((is_blocked ? fleet_device_block : fleet_device_unblock)(f->fleet, &admin,
                                                                          phone->device_id, &err),
                 err);
}

static struct phone phone_known(struct fixture *f, size_t key, const char *name)
{
    f->settings.delta_seconds = DELTA_SECONDS;
    return phone_enrolled(f, key, name);
}

/* proves-partly: 4g-12 */
static void who_has_an_older_list_hears_what_has_changed_since(void **state)
{
    struct fixture *f = *state;
    struct phone held = phone_known(f, 0, "A"), let_go = phone_known(f, 1, "B");
    block(f, &let_go, true);
    lists_make(f);
    CLEANUP(X509_CRL_free_at) X509_CRL *before = whole_of(f, 0);
    assert_int_equal(reason_in(f, before, &let_go), 6);

    f->now += 60;
    block(f, &held, true);
    block(f, &let_go, false);
    lists_make(f);
    CLEANUP(X509_CRL_free_at) X509_CRL *after = whole_of(f, 0);
    CLEANUP(X509_CRL_free_at) X509_CRL *delta = delta_of(f, 0);
    assert_int_equal(number_of(delta, NID_crl_number), number_of(after, NID_crl_number));
    assert_int_equal(number_of(delta, NID_delta_crl), number_of(before, NID_crl_number));
    assert_int_equal(reason_in(f, delta, &held), 6);
    assert_int_equal(reason_in(f, delta, &let_go), CRL_REASON_REMOVE);
    assert_int_equal(reason_in(f, after, &held), 6);
    assert_int_equal(reason_in(f, after, &let_go), -1);
}

static void changes_count_from_the_oldest_list_that_holds(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_known(f, 0, "A");
    lists_make(f);
    CLEANUP(X509_CRL_free_at) X509_CRL *first = whole_of(f, 0);
    for (int day = 0; day < 6; day++) {
        f->now += DAY_SECONDS + 60;
        lists_make(f);
    }
    CLEANUP(X509_CRL_free_at) X509_CRL *early = delta_of(f, 0);
    /* the first one holds for a week */
    assert_int_equal(number_of(early, NID_delta_crl), number_of(first, NID_crl_number));
    block(f, &phone, true);
    for (int day = 0; day < 10; day++) {
        f->now += DAY_SECONDS + 60;
        lists_make(f);
    }
    CLEANUP(X509_CRL_free_at) X509_CRL *late = delta_of(f, 0);
    int64_t base = number_of(late, NID_delta_crl), number = number_of(late, NID_crl_number);
    assert_in_range(number - base, 7 * DAY_SECONDS, 8 * (DAY_SECONDS + 60)); /* by the clock */
    assert_int_equal(reason_in(f, late, &phone), -1); /* each of those knows it */
    CLEANUP(X509_CRL_free_at) X509_CRL *whole = whole_of(f, 0);
    assert_int_equal(reason_in(f, whole, &phone), 6);
}

static void changes_that_have_ended_are_made_anew(void **state)
{
    struct fixture *f = *state;
    (void)phone_known(f, 0, "A");
    CLEANUP(X509_CRL_free_at) X509_CRL *first = delta_of(f, 0);
    CLEANUP(X509_CRL_free_at) X509_CRL *same = delta_of(f, 0);
    assert_int_equal(number_of(same, NID_crl_number), number_of(first, NID_crl_number));
    f->now += DELTA_SECONDS;
    CLEANUP(X509_CRL_free_at) X509_CRL *next = delta_of(f, 0);
    CLEANUP(X509_CRL_free_at) X509_CRL *whole = whole_of(f, 0);
    assert_true(number_of(next, NID_crl_number) > number_of(first, NID_crl_number));
    assert_int_equal(number_of(whole, NID_crl_number), number_of(next, NID_crl_number));
}

/* The first list was made by a clock that was a month ahead. */
static void changes_are_told_after_a_clock_was_put_right(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_known(f, 0, "A");
    int64_t right = f->now;
    f->now = right + 30 * DAY_SECONDS;
    fixture_clock(f);
    lists_make(f);
    f->now = right;
    fixture_clock(f);
    lists_make(f);
    block(f, &phone, true);
    lists_make(f);
    CLEANUP(X509_CRL_free_at) X509_CRL *delta = delta_of(f, 0);
    assert_int_equal(reason_in(f, delta, &phone), 6);
}

static void each_part_has_its_own_changes(void **state)
{
    struct fixture *f = *state;
    f->settings.revocation_parts = 2;
    struct phone phone = phone_known(f, 0, "A");
    int64_t part = fleet_revocation_part_of(certificate_of(f, &phone).crl_url);
    lists_make(f);
    f->now += 60;
    block(f, &phone, true);
    lists_make(f);
    CLEANUP(X509_CRL_free_at) X509_CRL *mine = delta_of(f, part);
    CLEANUP(X509_CRL_free_at) X509_CRL *all = delta_of(f, 0);
    assert_int_equal(reason_in(f, mine, &phone), 6);
    assert_int_equal(reason_in(f, all, &phone), 6);
    assert_true(X509_CRL_get_ext_by_NID(mine, NID_issuing_distribution_point, -1) >= 0);
    assert_true(X509_CRL_get_ext_by_NID(all, NID_issuing_distribution_point, -1) < 0);
    struct revocation_list list;
    struct err err;
    assert_works(fleet_revocation_part_get(f->fleet, f->owner, part, f->now, &list, &err), err);
    const char *url = fleet_revocation_url(f->owner, &f->settings, part, true);
    assert_non_null(memmem(list.der.data, list.der.size, url, strlen(url)));
    assert_fails(fleet_revocation_delta_get(f->fleet, f->owner, 3 - part, f->now, &list, &err), err,
                 ERR_NOT_FOUND);
}

static void without_the_wish_there_are_none(void **state)
{
    struct fixture *f = *state;
    struct revocation_list list;
    struct err err;
    lists_make(f);
    assert_fails(fleet_revocation_delta_get(f->fleet, f->owner, 0, f->now, &list, &err), err,
                 ERR_NOT_FOUND);
    CLEANUP(X509_CRL_free_at) X509_CRL *whole = whole_of(f, 0);
    assert_true(X509_CRL_get_ext_by_NID(whole, NID_freshest_crl, -1) < 0);
}

FLEET_MAIN(FLEET_TEST(who_has_an_older_list_hears_what_has_changed_since),
           FLEET_TEST(changes_count_from_the_oldest_list_that_holds),
           FLEET_TEST(changes_that_have_ended_are_made_anew),
           FLEET_TEST(changes_are_told_after_a_clock_was_put_right),
           FLEET_TEST(each_part_has_its_own_changes), FLEET_TEST(without_the_wish_there_are_none))
