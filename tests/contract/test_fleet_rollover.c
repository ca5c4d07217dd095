/* SPDX-License-Identifier: Apache-2.0 */
/* What a database makes of a change of authorities: remembered, planned, spread, refused. */
#include "base/text.h"
#include "fleet/authority.h"
#include "fleet/certificate.h"
#include "pki/authorities.h"
#include "pki/certificate.h"
#include "store/store.h"
#include "tests/contract/renewal.h"

/* The server's start after it is the caller's. */
static int64_t step(struct fixture *f, process_word *word)
{
    process_stop(f->process);
    int64_t number = process_run(f->process, word, -1);
    process_resume(f->process);
    assert_true(number > 0);
    return number;
}

static void start(struct fixture *f)
{
    struct err err;
    assert_works(fleet_authority_check(f->fleet, f->now, &err), err);
}

static struct authorities all_of(struct fixture *f)
{
    struct authorities all;
    struct err err;
    assert_works(keyd_authorities(f->process->keyd, f->owner, &all, &err), err);
    return all;
}

static const struct authority_record *record_of(struct fixture *f, int64_t number)
{
    const struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    assert_works(fleet_authority_list(f->fleet, &admin, f->owner, &list, &err), err);
    struct authority_record *rows = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (rows[i].number == number)
            return &rows[i];
    fail_msg("no authority %lld", (long long)number);
    return NULL;
}

static struct certificate certificate_of(struct fixture *f, const struct phone *phone)
{
    struct certificate certificate;
    struct err err;
    assert_works(certificate_parse(f->owner, phone->der, &certificate, &err), err);
    return certificate;
}

static int64_t renew_at(struct fixture *f, const struct phone *phone)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_CERTIFICATE_ALL, ARGS(TEXT(phone->enrolment_id)));
    assert_int_equal(rows->count, 1);
    return rows_integer(rows, 0, "renew_at");
}

/* proves-partly: 4g-11 */
static void devices_go_over_within_the_time_that_is_given(void **state)
{
    struct fixture *f = *state;
    start(f);
    int64_t before = fleet_authority_number(f->fleet);
    struct phone one = phone_enrolled(f, 0, "A"), two = phone_enrolled(f, 1, "B");
    int64_t planned = renew_at(f, &one), next = step(f, process_prepare);
    start(f);
    assert_int_equal(record_of(f, next)->role, AUTHORITY_NEXT);
    assert_int_equal(record_of(f, next)->devices_waiting, 2);
    assert_int_equal(record_of(f, before)->devices, 2);
    assert_int_equal(fleet_authority_number(f->fleet), before);
    assert_int_equal(renew_at(f, &one), planned);

    assert_int_equal(step(f, process_switch), next);
    f->settings.rollover_seconds = 30 * DAY;
    start(f);
    assert_int_equal(fleet_authority_number(f->fleet), next);
    assert_int_equal(renewals_look(f), 2);
    assert_true(renew_at(f, &one) > f->now && renew_at(f, &one) <= f->now + 31 * DAY);
    assert_true(renew_at(f, &two) > f->now && renew_at(f, &two) <= f->now + 31 * DAY);
    assert_int_not_equal(renew_at(f, &one), renew_at(f, &two));
    start(f); /* once more changes nothing */
    assert_true(renew_at(f, &one) > f->now);

    struct phone three = phone_enrolled(f, 2, "C");
    struct certificate made = certificate_of(f, &three);
    struct authorities all = all_of(f);
    assert_int_equal(authority_of_leaf(&all, three.der)->number, next);
    assert_int_equal(fleet_revocation_part_of(made.crl_url), fleet_revocation_list_of(next, 0));
    struct certificate_status status;
    struct err err;
    assert_works(fleet_certificate_status(f->fleet, made.serial, &status, &err), err);
    assert_int_equal(status.authority, next);
    assert_int_equal(record_of(f, next)->certificates, 1);
    assert_int_equal(record_of(f, before)->certificates, 2);
    assert_int_equal(fixture_events(f, "authority.changed"), 3); /* next; earlier and current */
}

static void a_device_that_is_due_gets_its_identity_from_the_current_one(void **state)
{
    struct fixture *f = *state;
    start(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)step(f, process_prepare);
    int64_t next = step(f, process_switch);
    start(f);
    (void)renewals_look(f);
    struct phone again = phone_certified_again(f, &phone, 1);
    struct authorities all = all_of(f);
    assert_int_equal(authority_of_leaf(&all, again.der)->number, next);
    assert_int_equal(record_of(f, next)->certificates, 1);
}

static void keys_from_before_a_step_are_refused(void **state)
{
    struct fixture *f = *state;
    struct err err;
    start(f);
    fixture_write(f, &SQL_TAMPER_AUTHORITY_ROLE, NO_ARGS);
    assert_fails(fleet_authority_check(f->fleet, f->now, &err), err, ERR_PRECONDITION);
    assert_non_null(strstr(err.text, "was retired already"));
    assert_non_null(err.remedy);
}

/* A backup from before the steps, with the keys of today; as the tests before left them. */
static void a_database_from_before_takes_what_came(void **state)
{
    struct fixture *f = *state;
    struct authorities all = all_of(f);
    assert_true(all.count > 2);
    start(f);
    fixture_write(f, &SQL_TAMPER_AUTHORITY_FORGET, NO_ARGS);
    start(f);
    assert_int_equal(record_of(f, all.list[all.count - 1].number)->role, AUTHORITY_CURRENT);
    assert_int_equal(fleet_authority_number(f->fleet), all.list[all.count - 1].number);
}

FLEET_MAIN(FLEET_TEST(devices_go_over_within_the_time_that_is_given),
           FLEET_TEST(a_device_that_is_due_gets_its_identity_from_the_current_one),
           FLEET_TEST(keys_from_before_a_step_are_refused),
           FLEET_TEST(a_database_from_before_takes_what_came))
