/* SPDX-License-Identifier: Apache-2.0 */
/* An identity is renewed in time: when, by which steps, and what happens when one of them fails. */
#include "fleet/renew.h"

#include "fleet/block.h"
#include "fleet/certificate.h"
#include "fleet/device.h"
#include "fleet/push.h"
#include "pki/digest.h"
#include "store/store.h"
#include "tests/contract/fleet_fixture.h"

#define DAY INT64_C(86400)
#define LIFE (365 * DAY)

static size_t look_for_due(struct fixture *f)
{
    size_t count;
    struct err err;
    assert_works(fleet_renewals_queue(f->fleet, f->now, 100, &count, &err), err);
    return count;
}

/* To the moment that is planned for this phone, and let the job look. */
static void until_due(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    f->now = renewal_planned_at(&f->settings, identity.enrolment_id, identity.not_before,
                                identity.not_after);
    (void)look_for_due(f);
}

static struct rows *certificates(struct fixture *f, const struct phone *phone)
{
    return fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone->enrolment_id)));
}

static struct enrolment_start renewal_start(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct enrolment_start start;
    char *topic;
    struct err err;
    assert_works(fleet_renewal_start(f->fleet, &actor, f->owner, &identity, &start, &topic, &err),
                 err);
    assert_string_equal(topic, phone->topic);
    return start;
}

/* The phone with the certificate that its renewal brought. */
static struct phone certified_again(struct fixture *f, const struct phone *phone, size_t key)
{
    struct phone renewed = *phone;
    renewed.start = renewal_start(f, phone);
    struct certificate_asked asked = fixture_asked(f, &renewed.start, key);
    struct issued issued = fixture_issue(f, &asked);
    assert_false(issued.is_refused);
    renewed.der = issued.der;
    digest_sha256(issued.der, renewed.sha256);
    return renewed;
}

static bool activate_at(struct fixture *f, const struct phone *phone, const char *token)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {
        .topic = phone->topic, .token = bytes_text(token), .magic = bytes_text("magic")};
    bool first;
    struct err err;
    assert_works(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err);
    return first;
}

/* What the room does with everything that is no check-in. */
static void speaks(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_identity_used(f->fleet, &actor, &identity, &err), err);
}

static void is_good(struct fixture *f, const struct phone *phone, bool wanted)
{
    assert_int_equal(phone_identity(f, phone).certificate_state,
                     wanted ? CERTIFICATE_ISSUED : CERTIFICATE_REVOKED);
}

static struct command fetch_renewal(struct fixture *f, const struct phone *phone)
{
    struct command command = phone_fetch(f, phone);
    assert_non_null(command.id);
    assert_int_equal(command.kind, COMMAND_RENEW_IDENTITY);
    return command;
}

static struct command ask_for_it(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct command command;
    struct err err;
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, phone->device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err);
    return fetch_renewal(f, phone);
}

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
    assert_int_equal(look_for_due(f), 0);
    struct identity identity = phone_identity(f, &phone);
    f->now = renewal_planned_at(&f->settings, identity.enrolment_id, identity.not_before,
                                identity.not_after);
    f->now--;
    assert_int_equal(look_for_due(f), 0);
    assert_null(phone_fetch(f, &phone).id);
    f->now++;
    assert_int_equal(look_for_due(f), 1);
    assert_int_equal(look_for_due(f), 0);
    assert_string_equal(fetch_renewal(f, &phone).created_by, "system");
    assert_int_equal(fixture_events(f, "identity.renewal_due"), 1);
}

static void what_was_reserved_before_there_were_renewals_is_renewed(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    const char *id = identity.certificate_id;
    fixture_write(f, &SQL_RESERVE_AGAIN, ARGS(TEXT(id)));
    fixture_write(f, &SQL_CERTIFICATE_ISSUE,
                  ARGS(TEXT(id), BYTES(phone.der), BYTES(((struct bytes){phone.sha256, 32})),
                       INTEGER(identity.not_before), INTEGER(identity.not_after), TEXT("CN=A")));
    f->now = renewal_planned_at(&f->settings, identity.enrolment_id, identity.not_before,
                                identity.not_after);
    assert_int_equal(look_for_due(f), 1);
}

static void only_managed_devices_are_renewed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone blocked = phone_enrolled(f, 0, "A"), leaving = phone_enrolled(f, 1, "B");
    struct phone pending = phone_certified(f, 2, "C");
    struct command command;
    struct err err;
    assert_works(fleet_device_block(f->fleet, &admin, blocked.device_id, &err), err);
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, leaving.device_id, COMMAND_RETIRE,
                                      NULL, &command, &err),
                 err);
    phone_authenticate(f, &pending);
    f->now += LIFE - 10 * DAY;
    assert_int_equal(look_for_due(f), 0);
    assert_fails(fleet_command_create(f->fleet, &admin, f->owner, blocked.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err, ERR_PRECONDITION);
    assert_fails(fleet_command_create(f->fleet, &admin, f->owner, leaving.device_id,
                                      COMMAND_RENEW_IDENTITY, NULL, &command, &err),
                 err, ERR_PRECONDITION);
    assert_works(fleet_device_unblock(f->fleet, &admin, blocked.device_id, &err), err);
    assert_int_equal(look_for_due(f), 1);
}

static void what_fails_comes_again_with_growing_pauses(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    int64_t pause = 0;
    until_due(f, &phone);
    for (int i = 0; i < 4; i++) {
        struct command command = fetch_renewal(f, &phone);
        assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_FAILED), RESULT_TAKEN);
        int64_t failed_at = f->now;
        while (look_for_due(f) == 0)
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
    until_due(f, &phone);
    int64_t ends_at = phone_identity(f, &phone).not_after;
    for (; f->now < ends_at - 2 * DAY; f->now += DAY)
        (void)look_for_due(f);
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count,
                     before + 1);
    assert_in_range(fixture_events(f, "identity.renewal_overdue"), 3, 8);
    f->now = ends_at;
    assert_int_equal(look_for_due(f), 1);
    assert_int_equal(look_for_due(f), 0);
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
    until_due(f, &old);
    struct command lock;
    struct err err;
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, old.device_id, COMMAND_LOCK, NULL,
                                      &lock, &err),
                 err);
    assert_int_equal(phone_fetch(f, &old).kind, COMMAND_LOCK); /* what protects goes first */
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_string_equal(new.device_id, old.device_id);
    is_good(f, &old, true);
    assert_false(activate_at(f, &new, "token"));
    is_good(f, &old, true);
    assert_int_equal(phone_answer(f, &new, lock.id, ANSWER_DONE), RESULT_TAKEN);
    speaks(f, &new);
    is_good(f, &new, true);
    is_good(f, &old, false);
    struct rows *rows = certificates(f, &old);
    assert_int_equal(rows->count, 2);
    assert_string_equal(rows_text(rows, 0, "reason"), "superseded");
    struct command renewal = fetch_renewal(f, &new);
    assert_int_equal(phone_answer(f, &new, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_string_equal(fixture_command_state(f, renewal.id), "applied");
    assert_string_equal(phone_identity(f, &new).enrolment_id, old.enrolment_id);
    assert_int_equal(fixture_events(f, "identity.renewed"), 1);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 0);
    assert_int_equal(fixture_events(f, "device.enrolled"), 1);
    assert_int_equal(fixture_effective(f, old.device_id).item_count, 1);
    struct list facts;
    assert_works(fleet_fact_list(f->fleet, &admin, f->owner, old.device_id, &facts, &err), err);
    assert_int_equal(facts.count, 1);
    fixture_work(f);
    assert_null(phone_fetch(f, &new).id); /* nothing is delivered again */
    assert_int_equal(look_for_due(f), 0);
}

static void a_renewal_has_a_challenge_of_its_own_each_time_it_is_fetched(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)ask_for_it(f, &phone);
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

static void who_speaks_often_is_asked_once(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    (void)ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    uint64_t before = database_transactions(f->contract->database);
    speaks(f, &old); /* the new one was not shown yet: nothing to decide */
    assert_int_equal(database_transactions(f->contract->database), before);
    phone_authenticate(f, &new);
    (void)activate_at(f, &new, "token");
    speaks(f, &new);
    before = database_transactions(f->contract->database);
    speaks(f, &new);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_int_equal(fixture_events(f, "identity.renewed"), 1);
}

static void a_message_sent_again_in_a_renewal_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    (void)ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    for (int i = 0; i < 3; i++) {
        phone_authenticate(f, &new);
        assert_false(activate_at(f, &new, "token"));
    }
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "active");
    assert_int_equal(fixture_events(f, "device.enrolled"), 1);
    assert_int_equal(certificates(f, &old)->count, 2);
}

/* ---- what can fail ---- */

static void a_device_that_refuses_keeps_what_it_had(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct command renewal = ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    struct enrolment_start unused = renewal_start(f, &old);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_FAILED), RESULT_TAKEN);
    is_good(f, &old, true);
    is_good(f, &new, false);
    struct certificate_asked asked = fixture_asked(f, &unused, 2);
    assert_true(fixture_issue(f, &asked).is_refused);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 1);
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "active");
    (void)ask_for_it(f, &old);
}

/* Our answer to TokenUpdate was lost: the device has put its old profile back. */
static void a_device_that_goes_on_as_before_is_not_locked_out(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct wake target;
    (void)ask_for_it(f, &old);
    f->now += 60;
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    (void)activate_at(f, &new, "another token");
    f->now += 60;
    speaks(f, &old);
    is_good(f, &new, true);                    /* not yet: one message decides nothing */
    assert_true(phone_wake(f, &old, &target)); /* called at both addresses meanwhile */
    assert_true(bytes_equal(target.token, bytes_text("another token")));
    assert_true(bytes_equal(target.token_before, bytes_text("token")));
    f->now += PUT_BACK_SECONDS;
    speaks(f, &old);
    is_good(f, &old, true);
    is_good(f, &new, false);
    assert_int_equal(fixture_events(f, "identity.put_back"), 1);
    assert_true(phone_wake(f, &old, &target));
    assert_true(bytes_equal(target.token, bytes_text("token")));
    (void)fetch_renewal(f, &old); /* it is still open */
    struct phone again = certified_again(f, &old, 2);
    phone_authenticate(f, &again);
    (void)activate_at(f, &again, "a third token");
    speaks(f, &again);
    is_good(f, &old, false);
    is_good(f, &again, true);
}

/* The connection was open before: the answer to the command still comes with the old one. */
static void one_message_with_the_old_identity_locks_nobody_out(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct err err;
    struct wake target;
    f->now += 60;
    struct command renewal = ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    (void)activate_at(f, &new, "another token");
    struct identity late = phone_identity(f, &old);
    f->now += 1;
    fleet_contact(f->fleet, &late, f->now);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    uint64_t before = database_transactions(f->contract->database);
    speaks(f, &old);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    is_good(f, &old, true);
    is_good(f, &new, true);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 0);
    (void)ask_for_it(f, &old);                 /* something to wake it for */
    assert_true(phone_wake(f, &new, &target)); /* it may have put the old address back */
    assert_true(bytes_equal(target.token_before, bytes_text("token")));
    f->now += 30 * DAY;
    speaks(f, &new);
    is_good(f, &new, true);
    is_good(f, &old, false);
    assert_int_equal(fixture_events(f, "identity.put_back"), 0);
}

static void an_identity_whose_successor_was_shown_is_not_renewed(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    until_due(f, &old);
    struct command renewal = fetch_renewal(f, &old);
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_int_equal(phone_answer(f, &old, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    f->now += DAY;
    assert_int_equal(look_for_due(f), 0);
    speaks(f, &old); /* put back: now it is */
    assert_int_equal(look_for_due(f), 1);
}

/* The profile was refused after Authenticate: the address is the one that it was. */
static void an_identity_that_was_only_shown_moves_no_address(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct wake target;
    f->now += 60;
    (void)activate_at(f, &old, "a newer token");
    f->now += 60;
    (void)ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    f->now += PUT_BACK_SECONDS;
    speaks(f, &old);
    is_good(f, &new, false);
    assert_true(phone_wake(f, &old, &target));
    assert_true(bytes_equal(target.token, bytes_text("a newer token")));
}

static void a_yes_without_a_new_identity_is_no_renewal(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    f->now += 60;
    struct command renewal = ask_for_it(f, &phone);
    assert_int_equal(phone_answer(f, &phone, renewal.id, ANSWER_DONE), RESULT_TAKEN);
    is_good(f, &phone, true);
    assert_int_equal(fixture_events(f, "identity.renewal_failed"), 1);
}

static void a_device_blocked_in_its_renewal_is_let_in_by_either(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone old = phone_enrolled(f, 0, "A");
    struct err err;
    (void)ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_works(fleet_device_block(f->fleet, &admin, old.device_id, &err), err);
    assert_int_equal(phone_identity(f, &new).certificate_state, CERTIFICATE_HELD);
    assert_int_equal(phone_identity(f, &old).certificate_state, CERTIFICATE_HELD);
    assert_works(fleet_device_unblock(f->fleet, &admin, old.device_id, &err), err);
    (void)activate_at(f, &new, "token");
    speaks(f, &new);
    is_good(f, &old, false);
    is_good(f, &new, true);
}

static void a_retired_device_loses_both(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone old = phone_enrolled(f, 0, "A");
    struct command command;
    struct err err;
    (void)ask_for_it(f, &old);
    struct phone new = certified_again(f, &old, 1);
    phone_authenticate(f, &new);
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, old.device_id, COMMAND_RETIRE,
                                      NULL, &command, &err),
                 err);
    is_good(f, &old, false);
    is_good(f, &new, false);
    speaks(f, &new); /* decides nothing any more */
    is_good(f, &new, false);
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
    until_due(f, &phone); /* the job is content with it */
    assert_string_equal(fetch_renewal(f, &phone).id, command.id);
}

FLEET_MAIN(FLEET_TEST(each_device_has_a_moment_of_its_own_in_the_window),
           FLEET_TEST(nothing_is_renewed_before_its_time),
           FLEET_TEST(what_was_reserved_before_there_were_renewals_is_renewed),
           FLEET_TEST(only_managed_devices_are_renewed),
           FLEET_TEST(what_fails_comes_again_with_growing_pauses),
           FLEET_TEST(a_device_that_is_off_keeps_one_command_and_is_told_when_it_is_too_late),
           FLEET_TEST(a_renewed_identity_changes_nothing_but_the_certificate),
           FLEET_TEST(a_renewal_has_a_challenge_of_its_own_each_time_it_is_fetched),
           FLEET_TEST(who_speaks_often_is_asked_once),
           FLEET_TEST(a_message_sent_again_in_a_renewal_changes_nothing),
           FLEET_TEST(a_device_that_refuses_keeps_what_it_had),
           FLEET_TEST(a_device_that_goes_on_as_before_is_not_locked_out),
           FLEET_TEST(one_message_with_the_old_identity_locks_nobody_out),
           FLEET_TEST(an_identity_whose_successor_was_shown_is_not_renewed),
           FLEET_TEST(an_identity_that_was_only_shown_moves_no_address),
           FLEET_TEST(a_yes_without_a_new_identity_is_no_renewal),
           FLEET_TEST(a_device_blocked_in_its_renewal_is_let_in_by_either),
           FLEET_TEST(a_retired_device_loses_both),
           FLEET_TEST(people_renew_once_at_a_time_and_with_permission))
