/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: asked for, fetched, answered. */
#include "codec/base64.h"
#include "fleet/certificate.h"
#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

/* ---- the queue ---- */

static void the_queue_goes_by_priority_then_by_age(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    static const enum command_kind order[] = {COMMAND_LOCK,         COMMAND_RESTART,
                                              COMMAND_QUERY_DEVICE, COMMAND_QUERY_SECURITY,
                                              COMMAND_QUERY_ITEMS,  COMMAND_QUERY_MANAGED_APPS,
                                              COMMAND_QUERY_APPS,   COMMAND_QUERY_CERTIFICATES};
    (void)phone_order(f, &phone, COMMAND_SYNC);
    (void)phone_order(f, &phone, COMMAND_RESTART);
    (void)phone_order(f, &phone, COMMAND_LOCK);
    for (size_t i = 0; i < COUNT(order); i++) {
        struct command command = phone_fetch(f, &phone);
        assert_int_equal(command.kind, order[i]);
        assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    }
    assert_null(phone_fetch(f, &phone).id);
}

static void a_command_is_offered_again_until_it_is_answered(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    assert_string_equal(fixture_command_state(f, lock.id), "queued");
    for (int i = 1; i <= 3; i++) {
        struct command command = phone_fetch(f, &phone);
        assert_string_equal(command.id, lock.id);
        assert_int_equal(command.state, COMMAND_DELIVERED);
        struct rows *rows = fixture_look(f, &SQL_LOOK_COMMAND, ARGS(TEXT(lock.id)));
        assert_string_equal(rows_text(rows, 0, "state"), "delivered");
        assert_int_equal(rows_integer(rows, 0, "attempts"), i);
        assert_int_equal(rows_integer(rows, 0, "delivered_at"), f->now);
    }
}

static void a_command_ends_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    (void)phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
    assert_string_equal(fixture_command_state(f, lock.id), "applied");
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_REPEATED);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_FAILED), RESULT_REPEATED);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_NOT_NOW), RESULT_REPEATED);
    assert_string_equal(fixture_command_state(f, lock.id), "applied");
    assert_int_equal(fixture_events(f, "command.failed"), 0);
}

static void an_answer_of_somebody_else_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone a = phone_enrolled(f, 0, "A"), b = phone_enrolled(f, 1, "B");
    struct command lock = phone_order(f, &a, COMMAND_LOCK);
    (void)phone_fetch(f, &a);
    assert_int_equal(phone_answer(f, &b, lock.id, ANSWER_DONE), RESULT_UNKNOWN);
    assert_int_equal(phone_answer(f, &b, "never heard of", ANSWER_DONE), RESULT_UNKNOWN);
    assert_string_equal(fixture_command_state(f, lock.id), "delivered");
    assert_int_equal(fixture_events(f, "command.unknown"), 2);
}

static void an_answer_to_what_was_never_delivered_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_UNKNOWN);
    assert_string_equal(fixture_command_state(f, lock.id), "queued");
}

static void not_now_waits_for_the_next_session(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct command restart = phone_order(f, &phone, COMMAND_RESTART);
    struct err err;
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_NOT_NOW), RESULT_TAKEN);
    assert_string_equal(phone_fetch(f, &phone).id, restart.id);
    assert_int_equal(phone_answer(f, &phone, restart.id, ANSWER_DONE), RESULT_TAKEN);
    uint64_t before = database_transactions(f->contract->database);
    assert_null(phone_fetch(f, &phone).id);
    assert_int_equal(database_transactions(f->contract->database), before);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    assert_works(fleet_session_begin(f->fleet, &actor, &identity, &err), err);
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
    assert_string_equal(fixture_command_state(f, lock.id), "applied");
}

static void a_failure_is_kept_with_reason_and_remedy(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    (void)phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_FAILED), RESULT_TAKEN);
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMAND, ARGS(TEXT(lock.id)));
    assert_string_equal(rows_text(rows, 0, "state"), "failed");
    assert_string_equal(rows_text(rows, 0, "reason"), "the device says no");
    assert_string_equal(rows_text(rows, 0, "remedy"), "ask it nicely");
    assert_int_equal(fixture_events(f, "command.failed"), 1);
}

/* proves-partly: 4c-14 */
static void a_command_that_the_room_cannot_carry_fails_before_it_is_sent(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    assert_works(fleet_command_refuse(f->fleet, &actor, &identity, lock.id, "a Mac needs a PIN",
                                      "give one", &err),
                 err);
    assert_string_equal(fixture_command_state(f, lock.id), "failed");
    assert_null(phone_fetch(f, &phone).id);
}

/* What came meanwhile counts more than that it could not be rendered again. */
static void a_command_that_has_ended_is_not_refused(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    (void)phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
    assert_works(fleet_command_refuse(f->fleet, &actor, &identity, lock.id, "no", NULL, &err), err);
    assert_string_equal(fixture_command_state(f, lock.id), "applied");
    assert_int_equal(fixture_events(f, "command.failed"), 0);
    /* one that went out before may have been carried out */
    struct command second = phone_order(f, &phone, COMMAND_LOCK);
    (void)phone_fetch(f, &phone);
    assert_string_equal(phone_fetch(f, &phone).id, second.id);
    assert_works(fleet_command_refuse(f->fleet, &actor, &identity, second.id, "no", NULL, &err),
                 err);
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMAND, ARGS(TEXT(second.id)));
    assert_non_null(strstr(rows_text(rows, 0, "reason"), "may have carried it out: no"));
}

static void a_push_that_was_taken_marks_what_waits_as_sent(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    assert_true(phone_push(f, &phone, WAKE_SENT, 0));
    assert_string_equal(fixture_command_state(f, lock.id), "sent");
    (void)phone_fetch(f, &phone);
    assert_true(phone_push(f, &phone, WAKE_SENT, 0));
    assert_string_equal(fixture_command_state(f, lock.id), "delivered");
}

/* ---- asking ---- */

static void the_same_command_waits_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK), again;
    struct err err;
    assert_fails(phone_order_try(f, &phone, COMMAND_LOCK, NULL, &again, &err), err, ERR_CONFLICT);
    assert_non_null(strstr(err.text, lock.id));
    (void)phone_fetch(f, &phone);
    assert_fails(phone_order_try(f, &phone, COMMAND_LOCK, NULL, &again, &err), err, ERR_CONFLICT);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
    assert_works(phone_order_try(f, &phone, COMMAND_LOCK, NULL, &again, &err), err);
}

static void asking_to_sync_twice_queues_each_query_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_SYNC);
    (void)phone_order(f, &phone, COMMAND_SYNC);
    assert_int_equal(phone_obey(f, &phone), 6);
}

static void items_are_not_asked_for_by_people(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command command;
    struct err err;
    assert_fails(phone_order_try(f, &phone, COMMAND_INSTALL_ITEM, NULL, &command, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(phone_order_try(f, &phone, COMMAND_REMOVE_ITEM, NULL, &command, &err), err,
                 ERR_BAD_INPUT);
}

static void a_device_that_is_not_enrolled_cannot_be_asked(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct command command;
    struct err err;
    phone_authenticate(f, &phone);
    assert_fails(phone_order_try(f, &phone, COMMAND_LOCK, NULL, &command, &err), err,
                 ERR_PRECONDITION);
    phone.device_id = "nobody";
    assert_fails(phone_order_try(f, &phone, COMMAND_LOCK, NULL, &command, &err), err,
                 ERR_NOT_FOUND);
}

static void a_command_is_cancelled_before_delivery_only(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    struct err err;
    assert_works(fleet_command_cancel(f->fleet, &admin, lock.id, &err), err);
    assert_string_equal(fixture_command_state(f, lock.id), "cancelled");
    assert_null(phone_fetch(f, &phone).id);
    assert_fails(fleet_command_cancel(f->fleet, &admin, lock.id, &err), err, ERR_CONFLICT);
    struct command restart = phone_order(f, &phone, COMMAND_RESTART);
    (void)phone_fetch(f, &phone);
    assert_fails(fleet_command_cancel(f->fleet, &admin, restart.id, &err), err, ERR_CONFLICT);
    assert_fails(fleet_command_cancel(f->fleet, &admin, "nothing", &err), err, ERR_NOT_FOUND);
}

static void parameters_are_sealed_in_the_database_and_opened_for_the_device(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock;
    struct bytes sealed;
    struct err err;
    assert_works(phone_order_try(f, &phone, COMMAND_LOCK, "{\"pin\":\"314159\"}", &lock, &err),
                 err);
    const char *stored =
        rows_text(fixture_look(f, &SQL_LOOK_COMMAND, ARGS(TEXT(lock.id))), 0, "parameters");
    assert_works(base64_decode(f->owner, bytes_text(stored), 4096, &sealed, &err), err);
    assert_null(strstr(stored, "314159"));
    assert_null(memmem(sealed.data, sealed.size, "314159", 6));
    assert_string_equal(phone_fetch(f, &phone).parameters, "{\"pin\":\"314159\"}");
    assert_null(strstr(fixture_event(f, "command.queued"), "314159"));
}

/* ---- departure ---- */

static struct certificate_status status_of(struct fixture *f, const struct phone *phone)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone->enrolment_id)));
    struct certificate_status status;
    struct err err;
    assert_works(fleet_certificate_status(f->fleet, rows_text(rows, 0, "serial"), &status, &err),
                 err);
    return status;
}

struct departure {
    enum command_kind kind;
    const char *during, *after;
};
static const struct departure departures[] = {{COMMAND_RETIRE, "retiring", "retired"},
                                              {COMMAND_WIPE, "wiping", "wiped"}};

/* proves-partly: 4c-18, 4g-12 */
static void a_departing_device_loses_its_certificates_at_once(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(departures); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "A" : "B");
        assert_true(status_of(f, &phone).is_known);
        assert_false(status_of(f, &phone).is_revoked);
        (void)phone_order(f, &phone, departures[i].kind);
        assert_true(status_of(f, &phone).is_revoked);
        assert_int_equal(status_of(f, &phone).revoked_at, f->now);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].during);
    }
}

/* proves-partly: 4c-18 */
static void a_departing_device_gets_that_one_command(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(departures); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "A" : "B");
        struct command lock = phone_order(f, &phone, COMMAND_LOCK), refused;
        (void)phone_order(f, &phone, COMMAND_SYNC);
        struct command last = phone_order(f, &phone, departures[i].kind);
        struct err err;
        assert_string_equal(fixture_command_state(f, lock.id), "cancelled");
        assert_fails(phone_order_try(f, &phone, COMMAND_RESTART, NULL, &refused, &err), err,
                     ERR_PRECONDITION);
        assert_fails(phone_order_try(f, &phone, COMMAND_SYNC, NULL, &refused, &err), err,
                     ERR_PRECONDITION);
        assert_string_equal(phone_fetch(f, &phone).id, last.id);
        assert_int_equal(phone_answer(f, &phone, last.id, ANSWER_DONE), RESULT_TAKEN);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].after);
        assert_null(phone_fetch(f, &phone).id);
        assert_string_equal(fixture_command_state(f, last.id), "applied");
    }
}

static void a_departure_is_not_taken_back(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command last = phone_order(f, &phone, COMMAND_RETIRE);
    struct err err;
    assert_fails(fleet_command_cancel(f->fleet, &admin, last.id, &err), err, ERR_PRECONDITION);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "retiring");
}

static void a_retiring_device_can_still_be_wiped(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command retire = phone_order(f, &phone, COMMAND_RETIRE), again;
    struct err err;
    assert_fails(phone_order_try(f, &phone, COMMAND_RETIRE, NULL, &again, &err), err, ERR_CONFLICT);
    struct command wipe = phone_order(f, &phone, COMMAND_WIPE);
    assert_string_equal(fixture_command_state(f, retire.id), "cancelled");
    assert_string_equal(phone_fetch(f, &phone).id, wipe.id);
    assert_fails(phone_order_try(f, &phone, COMMAND_RETIRE, NULL, &again, &err), err,
                 ERR_PRECONDITION);
}

static void a_check_out_while_departing_is_the_departure(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(departures); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "A" : "B");
        (void)phone_order(f, &phone, departures[i].kind);
        struct identity identity = phone_identity(f, &phone);
        struct actor actor = fleet_device_actor(&identity, "r", f->now);
        struct err err;
        assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].after);
    }
}

static void nothing_new_is_queued_for_a_departing_device(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy policy =
        fixture_policy(f, "PIN", "configuration", "{\"password.required\":true}");
    (void)phone_order(f, &phone, COMMAND_RETIRE);
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    assert_int_equal(phone_obey(f, &phone), 1);
}

/* proves-partly: 4g-12 */
static void the_revocation_list_names_the_departed(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct revocation_list before, after, same;
    struct err err;
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &before, &err), err);
    (void)phone_order(f, &phone, COMMAND_RETIRE);
    assert_works(fleet_revocation_list_make(f->fleet, f->now, &err), err);
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &after, &err), err);
    assert_int_equal(after.number, before.number + 1);
    assert_true(after.der.size > before.der.size);
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &same, &err), err);
    assert_int_equal(same.number, after.number);
    f->now = after.next_update;
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &same, &err), err);
    assert_true(same.number > after.number);
}

FLEET_MAIN(FLEET_TEST(the_queue_goes_by_priority_then_by_age),
           FLEET_TEST(a_command_is_offered_again_until_it_is_answered),
           FLEET_TEST(a_command_ends_once), FLEET_TEST(an_answer_of_somebody_else_changes_nothing),
           FLEET_TEST(an_answer_to_what_was_never_delivered_changes_nothing),
           FLEET_TEST(not_now_waits_for_the_next_session),
           FLEET_TEST(a_failure_is_kept_with_reason_and_remedy),
           FLEET_TEST(a_command_that_the_room_cannot_carry_fails_before_it_is_sent),
           FLEET_TEST(a_command_that_has_ended_is_not_refused),
           FLEET_TEST(a_push_that_was_taken_marks_what_waits_as_sent),
           FLEET_TEST(the_same_command_waits_once),
           FLEET_TEST(asking_to_sync_twice_queues_each_query_once),
           FLEET_TEST(items_are_not_asked_for_by_people),
           FLEET_TEST(a_device_that_is_not_enrolled_cannot_be_asked),
           FLEET_TEST(a_command_is_cancelled_before_delivery_only),
           FLEET_TEST(parameters_are_sealed_in_the_database_and_opened_for_the_device),
           FLEET_TEST(a_departing_device_loses_its_certificates_at_once),
           FLEET_TEST(a_departing_device_gets_that_one_command),
           FLEET_TEST(a_departure_is_not_taken_back),
           FLEET_TEST(a_retiring_device_can_still_be_wiped),
           FLEET_TEST(a_check_out_while_departing_is_the_departure),
           FLEET_TEST(nothing_new_is_queued_for_a_departing_device),
           FLEET_TEST(the_revocation_list_names_the_departed))
