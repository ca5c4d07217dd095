/* SPDX-License-Identifier: Apache-2.0 */
/* Commands for bad days: a second yes, departures without an answer, positions, kept secrets. */
#include "fleet/escrow.h"
#include "fleet/position.h"
#include "fleet/upkeep.h"
#include "tests/contract/fleet_fixture.h"

#define DAY (24 * 3600)

static void unlock_token_give(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "test", f->now);
    struct push_address address = {.topic = phone->topic,
                                   .token = bytes_text("token"),
                                   .magic = bytes_text("magic"),
                                   .unlock_token = bytes_text("open sesame")};
    bool first = false;
    struct err err;
    assert_works(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err);
}

/* ---- a second yes ---- */

static const enum command_kind grave[] = {COMMAND_WIPE, COMMAND_LOCK, COMMAND_CLEAR_PASSCODE};

static void what_waited_too_long_needs_a_second_yes(void **state)
{
    struct fixture *f = *state;
    f->settings.confirmation_seconds = 7 * DAY;
    static const char *const udids[] = {"A", "B", "C"};
    struct phone phones[COUNT(grave)];
    for (size_t i = 0; i < COUNT(grave); i++)
        phones[i] = phone_enrolled(f, i, udids[i]);
    for (size_t i = 0; i < COUNT(grave); i++) {
        struct phone phone = phones[i];
        unlock_token_give(f, &phone);
        struct command command = phone_order(f, &phone, grave[i]);
        struct actor desk = fixture_account(f, ROLE_AUDITOR);
        struct err err;
        f->now += 7 * DAY + 1;
        assert_null(phone_fetch(f, &phone).id);
        assert_string_equal(fixture_command_state(f, command.id), "awaiting_confirmation");
        assert_false(phone_identity(f, &phone).has_work); /* and it is no reason to wake it */
        assert_fails(fleet_command_confirm(f->fleet, &desk, f->owner, command.id, &command, &err),
                     err, ERR_FORBIDDEN);
        struct actor admin = fixture_admin(f);
        assert_works(fleet_command_confirm(f->fleet, &admin, f->owner, command.id, &command, &err),
                     err);
        assert_int_equal(command.confirmed_at, f->now);
        assert_string_equal(phone_fetch(f, &phone).id, command.id);
        assert_fails(fleet_command_confirm(f->fleet, &admin, f->owner, command.id, &command, &err),
                     err, ERR_PRECONDITION);
    }
    assert_int_equal(fixture_events(f, "command.awaiting_confirmation"), COUNT(grave));
    assert_int_equal(fixture_events(f, "command.confirmed"), COUNT(grave));
}

static void a_command_in_time_and_a_harmless_one_need_none(void **state)
{
    struct fixture *f = *state;
    f->settings.confirmation_seconds = 7 * DAY;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command restart = phone_order(f, &phone, COMMAND_RESTART);
    f->now += DAY;
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    f->now += 7 * DAY;
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
    assert_string_equal(phone_fetch(f, &phone).id, restart.id);
}

static void a_command_that_was_fetched_once_is_not_held(void **state)
{
    struct fixture *f = *state;
    f->settings.confirmation_seconds = 7 * DAY;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    f->now += 8 * DAY;
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
}

static void a_job_shows_it_before_the_device_calls(void **state)
{
    struct fixture *f = *state;
    f->settings.confirmation_seconds = 7 * DAY;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct actor admin = fixture_admin(f);
    size_t count = 0;
    struct err err;
    f->now += 7 * DAY;
    assert_works(fleet_commands_hold(f->fleet, f->now, 10, &count, &err), err);
    assert_int_equal(count, 0);
    f->now += 1;
    assert_works(fleet_commands_hold(f->fleet, f->now, 10, &count, &err), err);
    assert_int_equal(count, 1);
    assert_works(fleet_commands_hold(f->fleet, f->now, 10, &count, &err), err);
    assert_int_equal(count, 0);
    assert_string_equal(fixture_command_state(f, lock.id), "awaiting_confirmation");
    assert_false(phone_wake(f, &phone, NULL)); /* it would be given nothing */
    assert_works(fleet_command_cancel(f->fleet, &admin, lock.id, &err), err);
    assert_string_equal(fixture_command_state(f, lock.id), "cancelled");
    (void)phone_order(f, &phone, COMMAND_LOCK);
    assert_true(phone_wake(f, &phone, NULL));
}

/* ---- an erasure is answered once or never ---- */

static size_t close_departures(struct fixture *f)
{
    size_t count = 0;
    struct err err;
    assert_works(fleet_departures_close(f->fleet, f->now, 10, &count, &err), err);
    return count;
}

static void an_erasure_without_an_answer_is_unconfirmed_after_a_day(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_WIPE);
    (void)phone_fetch(f, &phone);
    f->now += WIPE_ANSWER_SECONDS;
    assert_int_equal(close_departures(f), 0);
    f->now += 1;
    assert_int_equal(close_departures(f), 1);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiped_unconfirmed");
}

static void an_erasure_that_was_never_fetched_is_not_given_up(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_WIPE);
    f->now += 10 * SILENCE_SECONDS;
    assert_int_equal(close_departures(f), 0);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiping");
}

/* ---- clearing a passcode ---- */

static void the_unlock_token_is_opened_for_its_enrolment_alone(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct bytes token;
    struct err err;
    unlock_token_give(f, &phone);
    assert_false(phone_activate(f, &phone)); /* an address without a token erases none */
    assert_works(fleet_unlock_token(f->fleet, f->owner, phone.enrolment_id, &token, &err), err);
    assert_memory_equal(token.data, "open sesame", token.size);
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENT, ARGS(TEXT(phone.enrolment_id)));
    struct bytes sealed = rows_value(rows, 0, "unlock_token")->bytes;
    assert_null(memmem(sealed.data, sealed.size, token.data, token.size));
    fixture_write(f, &SQL_DROP_UNLOCK_TOKEN, ARGS(TEXT(phone.enrolment_id)));
    assert_fails(fleet_unlock_token(f->fleet, f->owner, phone.enrolment_id, &token, &err), err,
                 ERR_PRECONDITION);
    struct command command;
    assert_fails(phone_order_try(f, &phone, COMMAND_CLEAR_PASSCODE, NULL, &command, &err), err,
                 ERR_PRECONDITION);
}

/* ---- positions ---- */

static enum result_outcome locate(struct fixture *f, const struct phone *phone, double latitude)
{
    struct command command = phone_order(f, phone, COMMAND_LOCATE);
    const struct position position = {.latitude = latitude, .longitude = 13.5, .accuracy = 8};
    const struct command_result result = {
        .command_id = command.id, .answer = ANSWER_DONE, .position = &position};
    assert_string_equal(phone_fetch(f, phone).id, command.id);
    return phone_finish(f, phone, &result);
}

static void the_last_position_is_kept_for_a_while_and_each_look_audited(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f), desk = fixture_account(f, ROLE_HELP_DESK);
    struct position position;
    struct pruned pruned;
    struct err err;
    assert_int_equal(locate(f, &phone, 52.25), RESULT_TAKEN);
    f->now += 60;
    assert_int_equal(locate(f, &phone, 48.125), RESULT_TAKEN);
    assert_works(fleet_position_get(f->fleet, &admin, f->owner, phone.device_id, &position, &err),
                 err);
    assert_true(position.latitude == 48.125 && position.longitude == 13.5 &&
                position.received_at == f->now);
    assert_fails(fleet_position_get(f->fleet, &desk, f->owner, phone.device_id, &position, &err),
                 err, ERR_FORBIDDEN);
    struct rows *rows = fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT("device.position")));
    assert_int_equal(rows_integer(rows, 0, "count"), 1);
    f->settings.retention.position_seconds = 7 * DAY;
    f->now += 7 * DAY + 1;
    for (size_t i = 0; i < fleet_prune_rules(); i++)
        assert_works(fleet_prune(f->fleet, i, f->now, &pruned, &err), err);
    assert_fails(fleet_position_get(f->fleet, &admin, f->owner, phone.device_id, &position, &err),
                 err, ERR_NOT_FOUND);
}

static void of_a_personal_device_no_position_is_kept(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    struct position position;
    struct err err;
    fixture_write(f, &SQL_SET_OWNERSHIP, ARGS(TEXT(phone.device_id), TEXT("personal")));
    assert_int_equal(locate(f, &phone, 52.25), RESULT_TAKEN);
    assert_fails(fleet_position_get(f->fleet, &admin, f->owner, phone.device_id, &position, &err),
                 err, ERR_NOT_FOUND);
    assert_int_equal(fixture_events(f, "device.located"), 0);
}

static void a_position_in_another_answer_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct position position = {.latitude = 1, .longitude = 2};
    const struct command_result result = {
        .command_id = lock.id, .answer = ANSWER_DONE, .position = &position, .secret = "S"};
    struct secret_view secret;
    struct err err;
    (void)phone_fetch(f, &phone);
    assert_int_equal(phone_finish(f, &phone, &result), RESULT_TAKEN);
    assert_fails(fleet_position_get(f->fleet, &admin, f->owner, phone.device_id, &position, &err),
                 err, ERR_NOT_FOUND);
    assert_fails(fleet_bypass_code_get(f->fleet, &admin, f->owner, phone.device_id, &secret, &err),
                 err, ERR_NOT_FOUND);
}

/* ---- the activation lock ---- */

/* How often it is asked for the code. */
static int bypass_ask(struct fixture *f, const struct phone *phone, enum command_answer answer)
{
    int asked = 0;
    (void)phone_order(f, phone, COMMAND_SYNC);
    for (struct command c = phone_fetch(f, phone); c.id; c = phone_fetch(f, phone)) {
        bool is_it = c.kind == COMMAND_QUERY_BYPASS_CODE;
        const struct command_result result = {.command_id = c.id,
                                              .answer = is_it ? answer : ANSWER_DONE,
                                              .secret = "AAAAA-BBBBB-CCCC"};
        asked += is_it;
        assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
    }
    return asked;
}

static void a_code_that_was_not_told_is_asked_for_a_few_times(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_write(f, &SQL_SET_SUPERVISED, ARGS(TEXT(phone.device_id)));
    for (int i = 0; i < 5; i++)
        assert_int_equal(bypass_ask(f, &phone, ANSWER_FAILED), 1);
    assert_int_equal(bypass_ask(f, &phone, ANSWER_FAILED), 0);
}

static void a_supervised_device_is_asked_once_for_its_bypass_code(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_write(f, &SQL_SET_SUPERVISED, ARGS(TEXT(phone.device_id)));
    assert_int_equal(bypass_ask(f, &phone, ANSWER_DONE), 1);
    assert_int_equal(bypass_ask(f, &phone, ANSWER_DONE), 0);
    struct actor admin = fixture_admin(f), desk = fixture_account(f, ROLE_HELP_DESK);
    struct secret_view secret;
    struct err err;
    assert_fails(fleet_bypass_code_get(f->fleet, &desk, f->owner, phone.device_id, &secret, &err),
                 err, ERR_FORBIDDEN);
    assert_works(fleet_bypass_code_get(f->fleet, &admin, f->owner, phone.device_id, &secret, &err),
                 err);
    assert_string_equal(secret.secret, "AAAAA-BBBBB-CCCC");
    struct rows *rows = fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT("device.bypass_code")));
    assert_int_equal(rows_integer(rows, 0, "count"), 1);
    rows = fixture_look(f, &SQL_LOOK_ESCROW, ARGS(TEXT(phone.device_id)));
    struct bytes sealed = rows_value(rows, 0, "sealed")->bytes;
    assert_null(memmem(sealed.data, sealed.size, "AAAAA", 5));
    (void)phone_order(f, &phone, COMMAND_SYNC); /* once is enough */
    for (struct command c = phone_fetch(f, &phone); c.id; c = phone_fetch(f, &phone)) {
        assert_int_not_equal(c.kind, COMMAND_QUERY_BYPASS_CODE);
        assert_int_equal(phone_answer(f, &phone, c.id, ANSWER_DONE), RESULT_TAKEN);
    }
}

FLEET_MAIN(FLEET_TEST(what_waited_too_long_needs_a_second_yes),
           FLEET_TEST(a_command_in_time_and_a_harmless_one_need_none),
           FLEET_TEST(a_command_that_was_fetched_once_is_not_held),
           FLEET_TEST(a_job_shows_it_before_the_device_calls),
           FLEET_TEST(an_erasure_without_an_answer_is_unconfirmed_after_a_day),
           FLEET_TEST(an_erasure_that_was_never_fetched_is_not_given_up),
           FLEET_TEST(the_unlock_token_is_opened_for_its_enrolment_alone),
           FLEET_TEST(the_last_position_is_kept_for_a_while_and_each_look_audited),
           FLEET_TEST(of_a_personal_device_no_position_is_kept),
           FLEET_TEST(a_position_in_another_answer_is_not_kept),
           FLEET_TEST(a_code_that_was_not_told_is_asked_for_a_few_times),
           FLEET_TEST(a_supervised_device_is_asked_once_for_its_bypass_code))
