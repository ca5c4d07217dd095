/* SPDX-License-Identifier: Apache-2.0 */
/* Departures that turn out differently: who comes back, what is taken back, who moved meanwhile. */
#include "fleet/departure.h"

#include "fleet/upkeep.h"
#include "tests/contract/fleet_fixture.h"

#define DAY (24 * 3600)

static size_t close_departures(struct fixture *f)
{
    size_t count = 0;
    struct err err;
    assert_works(fleet_departures_close(f->fleet, f->now, 10, &count, &err), err);
    return count;
}

static struct identity comes_back(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_departure_reopen(f->fleet, &actor, &identity, &err), err);
    return identity;
}

static int64_t audited(struct fixture *f, const char *action)
{
    return rows_integer(fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT(action))), 0, "count");
}

/* ---- who comes back ---- */

static const struct {
    enum command_kind kind;
    const char *given_up, *leaving, *gone;
} departures[] = {
    {COMMAND_WIPE, "wiped_unconfirmed", "wiping", "wiped"},
    {COMMAND_RETIRE, "retired_unconfirmed", "retiring", "retired"},
};

static void a_device_that_was_given_up_is_asked_again_when_it_speaks(void **state)
{
    struct fixture *f = *state;
    f->settings.confirmation_seconds = 7 * DAY;
    for (size_t i = 0; i < COUNT(departures); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "B" : "A");
        struct command command = phone_order(f, &phone, departures[i].kind);
        (void)phone_fetch(f, &phone); /* and the answer of the server is lost */
        f->now += SILENCE_SECONDS + 1;
        assert_int_equal(close_departures(f), 1);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].given_up);
        f->settings.retention.command_seconds = DAY;
        f->now += 30 * DAY;
        for (size_t rule = 0; rule < fleet_prune_rules(); rule++) {
            struct pruned pruned;
            struct err err;
            assert_works(fleet_prune(f->fleet, rule, f->now, &pruned, &err), err);
        }
        struct identity identity = comes_back(f, &phone);
        assert_true(identity.has_work);
        assert_string_equal(enrolment_state_names[identity.enrolment_state], departures[i].leaving);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].leaving);
        assert_int_equal(close_departures(f), 0);
        assert_string_equal(phone_fetch(f, &phone).id, command.id);
        (void)comes_back(f, &phone);
        assert_int_equal(fixture_events(f, "device.returned"), i + 1);
        assert_int_equal(audited(f, "enrolment.reopen"), i + 1);
        assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].gone);
        (void)comes_back(f, &phone);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].gone);
    }
}

static void what_enrolled_again_is_not_asked_to_leave_by_its_past(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_WIPE);
    (void)phone_fetch(f, &phone);
    f->now += WIPE_ANSWER_SECONDS + 1;
    assert_int_equal(close_departures(f), 1);
    struct phone again = phone_enrolled(f, 1, "A");
    (void)comes_back(f, &phone);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiped_unconfirmed");
    assert_string_equal(fixture_enrolment_state(f, again.enrolment_id), "active");
}

/* Else everything that should have been erased would stay. */
static void what_only_began_to_enrol_again_is_still_asked_to_leave(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command wipe = phone_order(f, &phone, COMMAND_WIPE);
    (void)phone_fetch(f, &phone);
    f->now += WIPE_ANSWER_SECONDS + 1;
    assert_int_equal(close_departures(f), 1);
    struct phone again = phone_certified(f, 1, "A");
    phone_authenticate(f, &again);
    (void)comes_back(f, &phone);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiping");
    assert_string_equal(phone_fetch(f, &phone).id, wipe.id);
}

static void who_called_a_moment_ago_is_not_silent(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_WIPE);
    (void)phone_fetch(f, &phone);
    f->now += WIPE_ANSWER_SECONDS + 1;
    struct identity identity = phone_identity(f, &phone);
    fleet_contact(f->fleet, &identity, f->now);
    assert_int_equal(close_departures(f), 0);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiping");
    assert_int_equal(audited(f, "enrolment.close"), 0);
}

static void a_command_that_was_not_handed_out_does_not_count_as_delivered(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command wipe = phone_order(f, &phone, COMMAND_WIPE);
    (void)phone_fetch(f, &phone);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_command_put_back(f->fleet, &actor, &identity, wipe.id, &err), err);
    assert_string_equal(fixture_command_state(f, wipe.id), "sent");
    f->now += WIPE_ANSWER_SECONDS + 1;
    assert_int_equal(close_departures(f), 0);
    (void)phone_fetch(f, &phone); /* this one arrives */
    (void)phone_fetch(f, &phone);
    assert_works(fleet_command_put_back(f->fleet, &actor, &identity, wipe.id, &err), err);
    assert_int_equal(phone_answer(f, &phone, wipe.id, ANSWER_DONE), RESULT_TAKEN);
}

/* ---- who moves while it leaves ---- */

static void a_leaving_device_is_woken_at_its_new_address(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(departures); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "B" : "A");
        (void)phone_order(f, &phone, departures[i].kind);
        struct identity identity = phone_identity(f, &phone);
        struct actor actor = fleet_device_actor(&identity, "r", f->now);
        const struct push_address address = {.topic = phone.topic,
                                             .token = bytes_text("a new token"),
                                             .magic = bytes_text("a new magic")};
        struct wake target;
        struct err err;
        bool first = true;
        assert_works(fleet_activate(f->fleet, &actor, &identity, &address, &first, &err), err);
        assert_false(first);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), departures[i].leaving);
        assert_true(phone_wake(f, &phone, &target));
        assert_true(bytes_equal(target.token, bytes_text("a new token")));
    }
}

/* ---- what is taken back ---- */

static void a_wipe_that_was_never_fetched_becomes_a_retirement(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f), desk = fixture_account(f, ROLE_HELP_DESK);
    f->settings.confirmation_seconds = 7 * DAY;
    for (size_t i = 0; i < 2; i++) {
        struct phone phone = phone_enrolled(f, i, i ? "B" : "A");
        struct command wipe = phone_order(f, &phone, COMMAND_WIPE);
        struct err err;
        if (i == 1) { /* held: it waits for the second yes, and hears a no */
            f->now += 7 * DAY + 1;
            assert_null(phone_fetch(f, &phone).id);
        }
        assert_fails(fleet_command_cancel(f->fleet, &desk, wipe.id, &err), err, ERR_FORBIDDEN);
        assert_works(fleet_command_cancel(f->fleet, &admin, wipe.id, &err), err);
        assert_string_equal(fixture_command_state(f, wipe.id), "cancelled");
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "retiring");
        assert_fails(fleet_command_cancel(f->fleet, &admin, wipe.id, &err), err, ERR_PRECONDITION);
        struct command retire = phone_fetch(f, &phone);
        assert_int_equal(retire.kind, COMMAND_RETIRE);
        assert_fails(fleet_command_cancel(f->fleet, &admin, retire.id, &err), err,
                     ERR_PRECONDITION);
        assert_int_equal(phone_answer(f, &phone, retire.id, ANSWER_DONE), RESULT_TAKEN);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "retired");
    }
    assert_int_equal(audited(f, "command.cancel"), 2);
    assert_int_equal(fixture_events(f, "wipe.taken_back"), 2);
}

static void a_wipe_that_was_fetched_is_not_taken_back(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command wipe = phone_order(f, &phone, COMMAND_WIPE);
    struct err err;
    (void)phone_fetch(f, &phone);
    assert_fails(fleet_command_cancel(f->fleet, &admin, wipe.id, &err), err, ERR_PRECONDITION);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiping");
}

FLEET_MAIN(FLEET_TEST(a_device_that_was_given_up_is_asked_again_when_it_speaks),
           FLEET_TEST(what_enrolled_again_is_not_asked_to_leave_by_its_past),
           FLEET_TEST(what_only_began_to_enrol_again_is_still_asked_to_leave),
           FLEET_TEST(who_called_a_moment_ago_is_not_silent),
           FLEET_TEST(a_command_that_was_not_handed_out_does_not_count_as_delivered),
           FLEET_TEST(a_leaving_device_is_woken_at_its_new_address),
           FLEET_TEST(a_wipe_that_was_never_fetched_becomes_a_retirement),
           FLEET_TEST(a_wipe_that_was_fetched_is_not_taken_back))
