/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists that share the certificates: who is in which, and that none is ever given up. */
#include "base/text.h"
#include "fleet/adopt.h"
#include "fleet/block.h"
#include "fleet/certificate.h"
#include "pki/certificate.h"
#include "pki/keyd.h"
#include "store/store.h"
#include "tests/contract/renewal.h"

#define PARTS 2

static struct certificate certificate_of(struct fixture *f, const struct phone *phone)
{
    struct certificate certificate;
    struct err err;
    assert_works(certificate_parse(f->owner, phone->der, &certificate, &err), err);
    return certificate;
}

static int64_t part_of(struct fixture *f, const struct phone *phone)
{
    return fleet_revocation_part_of(certificate_of(f, phone).crl_url);
}

static struct revocation_list list_of(struct fixture *f, int64_t part)
{
    struct revocation_list list = {0};
    struct err err;
    assert_works(fleet_revocation_part_get(f->fleet, f->owner, part, f->now, &list, &err), err);
    return list;
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

static bool is_listed(struct fixture *f, const struct phone *phone, int64_t part)
{
    struct revocation_list list = list_of(f, part);
    struct bytes serial;
    struct err err;
    assert_works(text_unhex(f->owner, certificate_of(f, phone).serial, &serial, &err), err);
    return memmem(list.der.data, list.der.size, serial.data, serial.size) != NULL;
}

static bool says(struct fixture *f, int64_t part, const char *url)
{
    struct revocation_list list = list_of(f, part);
    return memmem(list.der.data, list.der.size, url, strlen(url)) != NULL;
}

/* proves-partly: 4g-12 */
static void a_certificate_is_in_the_list_that_it_names_and_in_that_of_all(void **state)
{
    struct fixture *f = *state;
    f->settings.revocation_parts = PARTS;
    struct phone phone = phone_enrolled(f, 0, "A");
    int64_t mine = part_of(f, &phone), other = 3 - mine;
    assert_in_range(mine, 1, PARTS);
    assert_true(says(f, mine, certificate_of(f, &phone).crl_url));
    fixture_write(f, &SQL_USE_PART, ARGS(INTEGER(other), TEXT("http://mdm.example:8080/other")));
    block(f, &phone, true);
    lists_make(f);
    assert_true(is_listed(f, &phone, mine));
    assert_true(is_listed(f, &phone, 0));
    assert_false(is_listed(f, &phone, other));
    assert_int_equal(list_of(f, mine).entries, 1);
    assert_int_equal(list_of(f, other).entries, 0);
    block(f, &phone, false);
    lists_make(f);
    assert_false(is_listed(f, &phone, mine));
    assert_false(is_listed(f, &phone, 0));
}

/* It is good for months, and somebody may have copied its key. */
static void what_a_renewal_left_is_listed_when_it_matters(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone old[] = {phone_enrolled(f, 0, "A"), phone_enrolled(f, 1, "B")};
    for (size_t i = 0; i < COUNT(old); i++) {
        (void)phone_ask_renewal(f, &old[i]);
        struct phone new = phone_certified_again(f, &old[i], 2 + i);
        (void)phone_activate_at(f, &new, "token");
        phone_speaks(f, &new);
        phone_is_good(f, &old[i], false);
    }
    lists_make(f);
    assert_false(is_listed(f, &old[0], 0) || is_listed(f, &old[1], 0));
    struct err err;
    block(f, &old[0], true);
    assert_works(fleet_certificate_revoke(f->fleet, &admin, certificate_of(f, &old[1]).serial,
                                          REASON_KEY_COMPROMISE, &err),
                 err);
    assert_fails(fleet_certificate_revoke(f->fleet, &admin, certificate_of(f, &old[1]).serial,
                                          REASON_KEY_COMPROMISE, &err),
                 err, ERR_CONFLICT);
    lists_make(f);
    assert_true(is_listed(f, &old[0], 0));
    assert_true(is_listed(f, &old[1], 0));
}

static void each_list_has_its_own_number(void **state)
{
    struct fixture *f = *state;
    lists_make(f);
    lists_make(f);
    f->settings.revocation_parts = PARTS;
    struct phone phone = phone_enrolled(f, 0, "A");
    int64_t all = list_of(f, 0).number;
    assert_int_equal(list_of(f, part_of(f, &phone)).number, f->now); /* the first of its own */
    assert_int_equal(all, f->now + 1);
    lists_make(f);
    assert_int_equal(list_of(f, part_of(f, &phone)).number, f->now + 1);
    assert_int_equal(list_of(f, 0).number, all + 1);
}

/* Relying parties have seen the lists that were made since. */
static void no_number_comes_again_after_a_restored_backup(void **state)
{
    struct fixture *f = *state;
    lists_make(f);
    int64_t backed_up = list_of(f, 0).number;
    for (int i = 0; i < 5; i++) {
        f->now += 60;
        lists_make(f);
    }
    int64_t published = list_of(f, 0).number;
    fixture_write(f, &SQL_FORGET_LISTS, ARGS(INTEGER(backed_up)));
    f->now += 60;
    lists_make(f);
    assert_true(list_of(f, 0).number > published);
}

/* RFC 5280 3.3: not before a list has named it that was made after its end. */
static void what_ends_while_it_is_revoked_is_in_one_more_list(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    int64_t end = certificate_of(f, &phone).not_after;
    f->now = end - 60;
    block(f, &phone, true);
    f->now = end + 3600;
    lists_make(f);
    assert_true(is_listed(f, &phone, 0));
    f->now = end + 3 * DAY;
    lists_make(f);
    assert_false(is_listed(f, &phone, 0));
}

static void another_number_of_lists_gives_none_up(void **state)
{
    struct fixture *f = *state;
    struct phone before = phone_enrolled(f, 0, "A");
    f->settings.revocation_parts = PARTS;
    struct phone during = phone_enrolled(f, 1, "B");
    f->settings.revocation_parts = 1;
    struct phone after = phone_enrolled(f, 2, "C");
    assert_int_equal(part_of(f, &before), 0);
    assert_int_equal(part_of(f, &after), 0);
    const struct phone *const all[] = {&before, &during, &after};
    for (size_t i = 0; i < COUNT(all); i++)
        block(f, all[i], true);
    lists_make(f);
    for (size_t i = 0; i < COUNT(all); i++)
        assert_true(is_listed(f, all[i], part_of(f, all[i])));
    assert_int_equal(list_of(f, 0).entries, 3);
    assert_int_equal(list_of(f, part_of(f, &during)).entries, 1);
}

static void a_list_stays_that_of_older_addresses(void **state)
{
    struct fixture *f = *state;
    f->settings.revocation_parts = PARTS;
    struct phone old = phone_enrolled(f, 0, "A");
    int64_t part = part_of(f, &old);
    f->settings.plain_url = "http://other.example:8080";
    struct phone new = phone_enrolled(f, 1, "B");
    for (size_t key = 2; part_of(f, &new) != part && key < 8; key++)
        new = phone_certified(f, key, "C");
    lists_make(f);
    assert_true(says(f, part, certificate_of(f, &old).crl_url));
    if (part_of(f, &new) == part) /* but for one time in a hundred */
        assert_true(says(f, part, certificate_of(f, &new).crl_url));
}

static void a_list_that_no_certificate_names_is_not_made(void **state)
{
    struct fixture *f = *state;
    f->settings.revocation_parts = PARTS;
    struct revocation_list list;
    struct err err;
    assert_fails(fleet_revocation_part_get(f->fleet, f->owner, 1, f->now, &list, &err), err,
                 ERR_NOT_FOUND);
}

static void what_a_backup_does_not_know_gets_its_list_back(void **state)
{
    struct fixture *f = *state;
    struct actor actor = {.kind = ACTOR_PUBLIC, .id = "public", .name = "peer", .now = f->now};
    f->settings.revocation_parts = PARTS;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct certificate certificate = certificate_of(f, &phone);
    bool taken = false;
    struct err err;
    fixture_write(f, &SQL_FORGET_CERTIFICATE, ARGS(TEXT(certificate.serial)));
    fixture_write(f, &SQL_FORGET_PARTS, NO_ARGS);
    assert_works(fleet_certificate_adopt(f->fleet, &actor, &certificate, &taken, &err), err);
    assert_true(taken);
    block(f, &phone, true);
    lists_make(f);
    assert_true(is_listed(f, &phone, part_of(f, &phone)));
    assert_true(says(f, part_of(f, &phone), certificate.crl_url));
}

static void each_list_has_one_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t part;
    } rows[] = {
        {"devices.crl", 0},      {"devices-1.crl", 1},   {"http://h/ca/devices-64.crl", 64},
        {"devices-0.crl", -1},   {"devices-01.crl", -1}, {"devices-.crl", -1},
        {"devices-1.crlx", -1},  {"devices--1.crl", -1}, {"devices-99999.crl", -1},
        {"devices-1.crl/x", -1}, {"root.cer", -1},       {"", -1},
        {"devices-+1.crl", -1},  {"devices-1", -1},      {"xdevices-1.crl", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(fleet_revocation_part_of(rows[i].name), rows[i].part);
}

FLEET_MAIN(FLEET_TEST(a_certificate_is_in_the_list_that_it_names_and_in_that_of_all),
           FLEET_TEST(what_a_renewal_left_is_listed_when_it_matters),
           FLEET_TEST(each_list_has_its_own_number),
           FLEET_TEST(no_number_comes_again_after_a_restored_backup),
           FLEET_TEST(what_ends_while_it_is_revoked_is_in_one_more_list),
           FLEET_TEST(another_number_of_lists_gives_none_up),
           FLEET_TEST(a_list_stays_that_of_older_addresses),
           FLEET_TEST(a_list_that_no_certificate_names_is_not_made),
           FLEET_TEST(what_a_backup_does_not_know_gets_its_list_back),
           FLEET_TEST(each_list_has_one_name))
