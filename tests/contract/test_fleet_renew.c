/* SPDX-License-Identifier: Apache-2.0 */
/* An identity is renewed in time: when, and by which steps. */
#include "fleet/block.h"
#include "fleet/device.h"
#include "fleet/push.h"
#include "store/store.h"
#include "tests/contract/renewal.h"

/* ---- when ---- */

/* proves-partly: 4g-11 */
static void each_device_has_a_moment_of_its_own_in_the_window(void **state)
{
    struct fixture *f = *state;
    enum { DEVICES = 1000, PARTS = 10 };
    int64_t from = f->now, to = f->now + LIFE, counts[PARTS] = {0};
    int64_t opens_at = renewal_opens_at(&f->settings, from, to), half = (to - opens_at) / 2;
    assert_int_equal(opens_at, to - LIFE * 33 / 100);
    for (int i = 0; i < DEVICES; i++) {
        const char *id = mem_format(f->owner, "01900000-0000-7000-8000-%012d", i);
        int64_t at = renewal_planned_at(&f->settings, id, from, to);
        assert_int_equal(at, renewal_planned_at(&f->settings, id, from, to));
        assert_true(at >= opens_at && at < opens_at + half);
        counts[(at - opens_at) * PARTS / half]++;
    }
    for (size_t i = 0; i < PARTS; i++) /* a tenth each, and no heap */
        assert_in_range(counts[i], DEVICES / PARTS / 2, DEVICES / PARTS * 2);
}

static void nothing_is_renewed_before_its_time(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    assert_int_equal(renewals_look(f), 0);
    struct identity identity = phone_identity(f, &phone);
    f->now = renewal_planned_at(&f->settings, identity.enrolment_id, identity.not_before,
                                identity.not_after);
    f->now--;
    assert_int_equal(renewals_look(f), 0);
    assert_null(phone_fetch(f, &phone).id);
    f->now++;
    assert_int_equal(renewals_look(f), 1);
    assert_int_equal(renewals_look(f), 0);
    assert_string_equal(phone_fetch_renewal(f, &phone).created_by, "system");
    assert_int_equal(fixture_events(f, "identity.renewal_due"), 1);
}

static void only_managed_devices_are_renewed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone blocked = phone_enrolled(f, 0, "A"), leaving = phone_enrolled(f, 1, "B");
    struct phone pending = phone_certified(f, 2, "C");
    struct err err;
    assert_works(fleet_device_block(f->fleet, &admin, blocked.device_id, &err), err);
    struct command command = phone_order(f, &leaving, COMMAND_RETIRE);
    phone_authenticate(f, &pending);
    f->now += LIFE - 10 * DAY;
    assert_int_equal(renewals_look(f), 0);
    assert_fails(fleet_command_create(f->fleet, &admin, f->owner, blocked.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err, ERR_PRECONDITION);
    assert_fails(fleet_command_create(f->fleet, &admin, f->owner, leaving.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err, ERR_PRECONDITION);
    assert_works(fleet_device_unblock(f->fleet, &admin, blocked.device_id, &err), err);
    assert_int_equal(renewals_look(f), 1);
}

static void what_fails_comes_again_with_growing_pauses(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    int64_t pause = 0;
    renewal_until_due(f, &phone);
    for (int i = 0; i < 4; i++) {
        struct command command = phone_fetch_renewal(f, &phone);
        assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_FAILED), RESULT_TAKEN);
        int64_t failed_at = f->now;
        while (renewals_look(f) == 0)
            f->now += 60;
        assert_true(f->now - failed_at > pause);
        pause = f->now - failed_at;
    }
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 4);
    assert_int_equal(fixture_events(f, "identity.renewal_overdue"), 3); /* 1st, 2nd, 4th */
    assert_non_null(strstr(fixture_event(f, "identity.renewal_failed"), "the device says no"));
}

static void a_device_that_is_off_keeps_one_command_and_is_told_when_it_is_too_late(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    size_t before = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count;
    renewal_until_due(f, &phone);
    int64_t ends_at = phone_identity(f, &phone).not_after;
    for (; f->now < ends_at - 2 * DAY; f->now += DAY)
        (void)renewals_look(f);
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count,
                     before + 1);
    assert_in_range(fixture_events(f, "identity.renewal_overdue"), 3, 8);
    f->now = ends_at;
    assert_int_equal(renewals_look(f), 1);
    assert_int_equal(renewals_look(f), 0);
    assert_int_equal(fixture_events(f, "identity.ended"), 1);
}

/* ---- the steps ---- */

/* proves-partly: 4g-11 */
static void a_renewed_identity_changes_nothing_but_the_certificate(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    fixture_assign(f, policy.id, NULL);
    struct phone old = phone_enrolled(f, 0, "A");
    fixture_work(f);
    (void)phone_obey(f, &old);
    phone_report(f, &old, "os.version", "17.6", EVIDENCE_MEASURED);
    renewal_until_due(f, &old);
    struct err err;
    struct command lock = phone_order(f, &old, COMMAND_LOCK);
    assert_int_equal(phone_fetch(f, &old).kind, COMMAND_LOCK); /* what protects goes first */
    struct phone new = phone_certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_string_equal(new.device_id, old.device_id);
    phone_is_good(f, &old, true);
    assert_false(phone_activate_at(f, &new, "token"));
    phone_is_good(f, &old, true);
    assert_int_equal(phone_answer(f, &new, lock.id, ANSWER_DONE), RESULT_TAKEN);
    phone_speaks(f, &new);
    phone_is_good(f, &new, true);
    phone_is_good(f, &old, false);
    struct rows *rows = phone_certificates(f, &old);
    assert_int_equal(rows->count, 2);
    assert_string_equal(rows_text(rows, 0, "reason"), "superseded");
    struct command renewal = phone_fetch_renewal(f, &new);
    assert_int_equal(phone_answer(f, &new, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_string_equal(fixture_command_state(f, renewal.id), "applied");
    assert_string_equal(phone_identity(f, &new).enrolment_id, old.enrolment_id);
    assert_int_equal(fixture_events(f, "identity.renewed"), 1);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 0);
    assert_int_equal(fixture_events(f, "device.enrolled"), 1);
    assert_int_equal(fixture_effective(f, old.device_id).item_count, 1);
    struct list facts;
    assert_works(fleet_fact_list(f->fleet, &admin, f->owner, old.device_id, &facts, &err), err);
    assert_int_equal(facts.count, 4); /* with what it said when it enrolled */
    fixture_work(f);
    assert_null(phone_fetch(f, &new).id); /* nothing is delivered again */
    assert_int_equal(renewals_look(f), 0);
}

static void a_renewal_has_a_challenge_of_its_own_each_time_it_is_fetched(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_ask_renewal(f, &phone);
    struct enrolment_start first = renewal_start(f, &phone), second = renewal_start(f, &phone);
    assert_string_not_equal(first.challenge, second.challenge);
    assert_string_equal(first.common_name, phone.start.common_name);
    assert_string_equal(first.san_uri, phone.start.san_uri);
    struct certificate_asked stale = fixture_asked(f, &first, 1);
    struct certificate_asked fresh = fixture_asked(f, &second, 1);
    assert_true(fixture_issue(f, &stale).is_refused);
    struct issued issued = fixture_issue(f, &fresh);
    assert_false(issued.is_refused);
    assert_true(bytes_equal(fixture_issue(f, &fresh).der, issued.der)); /* the answer was lost */
    fresh.spki = fixture_key(f, 2);
    assert_true(fixture_issue(f, &fresh).is_refused);
}

/* The device was off between the profile and its request: it says so, and is asked again. */
static void an_expired_challenge_is_followed_by_a_new_one(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    renewal_until_due(f, &old);
    struct command renewal = phone_fetch_renewal(f, &old);
    struct enrolment_start late = renewal_start(f, &old);
    struct certificate_asked asked = fixture_asked(f, &late, 1);
    f->now += f->settings.challenge_seconds;
    assert_true(fixture_issue(f, &asked).is_refused);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_FAILED), RESULT_TAKEN);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 1);
    assert_null(phone_fetch(f, &old).id);
    while (renewals_look(f) == 0)
        f->now += 60;
    struct command again = phone_fetch_renewal(f, &old);
    assert_string_not_equal(again.id, renewal.id);
    assert_true(fixture_issue(f, &asked).is_refused);
    struct phone new = phone_certified_again(f, &old, 1);
    assert_string_not_equal(new.start.challenge, late.challenge);
    phone_authenticate(f, &new);
    (void)phone_activate_at(f, &new, "token");
    phone_speaks(f, &new);
    phone_is_good(f, &new, true);
    phone_is_good(f, &old, false);
    assert_int_equal(phone_answer(f, &new, again.id, ANSWER_DONE), RESULT_TAKEN);
    assert_int_equal(fixture_events(f, "identity.renewed"), 1);
}

static void who_speaks_often_is_asked_once(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    (void)phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    uint64_t before = database_transactions(f->contract->database);
    phone_speaks(f, &old); /* the new one was not shown yet: nothing to decide */
    assert_int_equal(database_transactions(f->contract->database), before);
    phone_authenticate(f, &new);
    (void)phone_activate_at(f, &new, "token");
    phone_speaks(f, &new);
    before = database_transactions(f->contract->database);
    phone_speaks(f, &new);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_int_equal(fixture_events(f, "identity.renewed"), 1);
}

static void a_message_sent_again_in_a_renewal_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    (void)phone_ask_renewal(f, &old);
    struct phone new = phone_certified_again(f, &old, 1);
    for (int i = 0; i < 3; i++) {
        phone_authenticate(f, &new);
        assert_false(phone_activate_at(f, &new, "token"));
    }
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "active");
    assert_int_equal(fixture_events(f, "device.enrolled"), 1);
    assert_int_equal(phone_certificates(f, &old)->count, 2);
}

/* ---- people ---- */

static void people_renew_once_at_a_time_and_with_permission(void **state)
{
    struct fixture *f = *state;
    struct actor help_desk = fixture_account(f, ROLE_HELP_DESK);
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command command;
    struct err err;
    assert_fails(fleet_command_create(f->fleet, &auditor, f->owner, phone.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err, ERR_FORBIDDEN);
    assert_works(fleet_command_create(f->fleet, &help_desk, f->owner, phone.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err);
    assert_fails(fleet_command_create(f->fleet, &help_desk, f->owner, phone.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err, ERR_CONFLICT);
    renewal_until_due(f, &phone); /* the job is content with it */
    assert_string_equal(phone_fetch_renewal(f, &phone).id, command.id);
}

FLEET_MAIN(FLEET_TEST(each_device_has_a_moment_of_its_own_in_the_window),
           FLEET_TEST(nothing_is_renewed_before_its_time),
           FLEET_TEST(only_managed_devices_are_renewed),
           FLEET_TEST(what_fails_comes_again_with_growing_pauses),
           FLEET_TEST(a_device_that_is_off_keeps_one_command_and_is_told_when_it_is_too_late),
           FLEET_TEST(a_renewed_identity_changes_nothing_but_the_certificate),
           FLEET_TEST(a_renewal_has_a_challenge_of_its_own_each_time_it_is_fetched),
           FLEET_TEST(an_expired_challenge_is_followed_by_a_new_one),
           FLEET_TEST(who_speaks_often_is_asked_once),
           FLEET_TEST(a_message_sent_again_in_a_renewal_changes_nothing),
           FLEET_TEST(people_renew_once_at_a_time_and_with_permission))
