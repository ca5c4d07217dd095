/* SPDX-License-Identifier: Apache-2.0 */
/* What failed, was lost or was refused, and how it is tried again. */
#include "fleet/device.h"
#include "fleet/upkeep.h"
#include "tests/contract/fleet_fixture.h"

static struct phone phone_with(struct fixture *f, const char *content, struct policy *policy,
                               struct assignment *assignment)
{
    *policy = fixture_policy(f, "Base", "configuration", content);
    struct phone phone = phone_enrolled(f, 0, "A");
    *assignment = fixture_assign(f, policy->id, NULL);
    fixture_work(f);
    return phone;
}

static const struct delivered *item_of(struct fixture *f, const struct phone *phone)
{
    struct effective effective = fixture_effective(f, phone->device_id);
    assert_int_equal(effective.item_count, 1);
    return &effective.items[0];
}

/* Answer what is open in its order until a command of this kind comes. */
static struct command fetch_kind(struct fixture *f, const struct phone *phone,
                                 enum command_kind kind)
{
    for (struct command c = phone_fetch(f, phone); c.id; c = phone_fetch(f, phone)) {
        if (c.kind == (int)kind)
            return c;
        assert_int_equal(phone_answer(f, phone, c.id, ANSWER_DONE), RESULT_TAKEN);
    }
    fail_msg("no %s came", command_kind_names[kind]);
    return (struct command){0};
}

/* ---- departures ---- */

static const enum command_kind departures[] = {COMMAND_RETIRE, COMMAND_WIPE};

static void a_departure_that_the_device_refused_can_be_asked_for_again(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(departures); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "A" : "B");
        struct command first = phone_order(f, &phone, departures[i]), second;
        struct err err;
        assert_fails(phone_order_try(f, &phone, departures[i], NULL, &second, &err), err,
                     ERR_CONFLICT);
        assert_string_equal(phone_fetch(f, &phone).id, first.id);
        assert_int_equal(phone_answer(f, &phone, first.id, ANSWER_FAILED), RESULT_TAKEN);
        second = phone_order(f, &phone, departures[i]);
        assert_string_equal(phone_fetch(f, &phone).id, second.id);
        assert_int_equal(phone_answer(f, &phone, second.id, ANSWER_DONE), RESULT_TAKEN);
        assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id),
                            i ? "wiped" : "retired");
    }
}

static void a_silent_device_that_refused_to_leave_is_closed_some_day(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command wipe = phone_order(f, &phone, COMMAND_WIPE);
    size_t count = 0;
    struct err err;
    (void)phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, wipe.id, ANSWER_FAILED), RESULT_TAKEN);
    assert_works(fleet_departures_close(f->fleet, f->now + 1, 10, &count, &err), err);
    assert_int_equal(count, 0);
    f->now += SILENCE_SECONDS + 1;
    assert_works(fleet_departures_close(f->fleet, f->now, 10, &count, &err), err);
    assert_int_equal(count, 1);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "wiped_unconfirmed");
}

/* ---- items that failed ---- */

static void synchronising_brings_a_failed_item_again(void **state)
{
    struct fixture *f = *state;
    struct policy policy;
    struct assignment assignment;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}", &policy, &assignment);
    struct command first = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, first.id, ANSWER_FAILED), RESULT_TAKEN);
    assert_null(phone_fetch(f, &phone).id);
    (void)phone_order(f, &phone, COMMAND_SYNC);
    struct command second = phone_fetch(f, &phone);
    assert_int_equal(second.kind, COMMAND_INSTALL_ITEM);
    assert_null(item_of(f, &phone)->reason);
    (void)phone_obey(f, &phone);
    assert_int_equal(item_of(f, &phone)->state, COMMAND_VERIFIED);
}

static void synchronising_tries_a_failed_removal_again(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy;
    struct assignment assignment;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}", &policy, &assignment);
    struct err err;
    (void)phone_obey(f, &phone);
    assert_works(fleet_assignment_delete(f->fleet, &admin, policy.id, assignment.id, &err), err);
    fixture_work(f);
    struct command removal = phone_fetch(f, &phone);
    assert_int_equal(removal.kind, COMMAND_REMOVE_ITEM);
    assert_int_equal(phone_answer(f, &phone, removal.id, ANSWER_FAILED), RESULT_TAKEN);
    assert_int_equal(item_of(f, &phone)->state, COMMAND_FAILED);
    (void)phone_order(f, &phone, COMMAND_SYNC);
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_REMOVE_ITEM);
    (void)phone_obey(f, &phone);
    assert_int_equal(fixture_effective(f, phone.device_id).item_count, 0);
}

static void a_new_variant_tries_again_what_failed(void **state)
{
    struct fixture *f = *state;
    struct policy policy;
    struct assignment assignment;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}", &policy, &assignment);
    struct command first = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, first.id, ANSWER_FAILED), RESULT_TAKEN);
    fixture_work(f); /* nothing is new: nothing is sent */
    assert_null(phone_fetch(f, &phone).id);
    fixture_policy_change(f, policy.id,
                          "{\"password.min_length\":8,\"encryption.storage_card\":true}");
    fixture_work(f);
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_INSTALL_ITEM);
    (void)phone_obey(f, &phone);
    struct effective effective = fixture_effective(f, phone.device_id);
    assert_int_equal(effective.item_count, 2);
    for (size_t i = 0; i < effective.item_count; i++)
        assert_int_equal(effective.items[i].state, COMMAND_VERIFIED);
}

/* ---- items that are lost again and again ---- */

/* The device takes every installation and lists nothing. Returns how often it was installed. */
static size_t obey_and_lose(struct fixture *f, const struct phone *phone)
{
    size_t installs = 0;
    for (size_t i = 0; i < 50; i++) {
        struct command c = phone_fetch(f, phone);
        if (!c.id)
            return installs;
        installs += c.kind == COMMAND_INSTALL_ITEM;
        struct command_result result = {
            .command_id = c.id, .answer = ANSWER_DONE, .has_items = c.kind == COMMAND_QUERY_ITEMS};
        assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
    }
    fail_msg("it is installed for ever");
    return installs;
}

static void an_item_that_is_lost_every_time_is_given_up_with_a_reason(void **state)
{
    struct fixture *f = *state;
    struct policy policy;
    struct assignment assignment;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}", &policy, &assignment);
    assert_int_equal(obey_and_lose(f, &phone), 4);
    assert_int_equal(item_of(f, &phone)->state, COMMAND_FAILED);
    assert_non_null(item_of(f, &phone)->reason);
    assert_non_null(item_of(f, &phone)->remedy);
    assert_int_equal(fixture_events(f, "item.missing"), 3);
    assert_int_equal(fixture_events(f, "item.given_up"), 1);
    (void)phone_order(f, &phone, COMMAND_SYNC);
    (void)phone_obey(f, &phone);
    assert_int_equal(item_of(f, &phone)->state, COMMAND_VERIFIED);
    assert_int_equal(item_of(f, &phone)->losses, 0);
}

/* ---- what is not there ---- */

static enum result_outcome not_there(struct fixture *f, const struct phone *phone, const char *id)
{
    struct command_result result = {.command_id = id,
                                    .answer = ANSWER_FAILED,
                                    .reason = "The profile is not installed on the device.",
                                    .is_absent = true};
    return phone_finish(f, phone, &result);
}

static void what_is_not_there_is_removed_but_not_installed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy;
    struct assignment assignment;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}", &policy, &assignment);
    struct err err;
    struct command install = phone_fetch(f, &phone);
    assert_int_equal(not_there(f, &phone, install.id), RESULT_TAKEN);
    assert_string_equal(fixture_command_state(f, install.id), "failed");
    (void)phone_order(f, &phone, COMMAND_SYNC);
    (void)phone_obey(f, &phone);
    assert_works(fleet_assignment_delete(f->fleet, &admin, policy.id, assignment.id, &err), err);
    fixture_work(f);
    struct command removal = fetch_kind(f, &phone, COMMAND_REMOVE_ITEM);
    assert_int_equal(not_there(f, &phone, removal.id), RESULT_TAKEN);
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMAND, ARGS(TEXT(removal.id)));
    assert_string_equal(rows_text(rows, 0, "state"), "applied");
    assert_null(rows_text(rows, 0, "reason"));
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    (void)fetch_kind(f, &phone, COMMAND_LOCK);
    assert_int_equal(not_there(f, &phone, lock.id), RESULT_TAKEN);
    assert_string_equal(fixture_command_state(f, lock.id), "failed");
}

/* ---- people ---- */

static void what_policies_ask_for_is_not_cancelled_by_people(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy;
    struct assignment assignment;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}", &policy, &assignment);
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)));
    const char *install = rows_text(rows, rows->count - 1, "id");
    struct err err;
    assert_string_equal(rows_text(rows, rows->count - 1, "kind"), "install_item");
    assert_fails(fleet_command_cancel(f->fleet, &admin, install, &err), err, ERR_PRECONDITION);
    assert_non_null(err.remedy);
    assert_string_equal(fixture_command_state(f, install), "queued");
}

static void a_name_does_not_hide_what_is_unique(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone a = phone_enrolled(f, 0, "A"), b = phone_enrolled(f, 1, "B");
    struct device device;
    struct err err;
    phone_report(f, &b, "device.name", a.device_id, EVIDENCE_MEASURED);
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, a.device_id, &device, &err), err);
    assert_string_equal(device.id, a.device_id);
    /* what a device tells of itself, a UDID or a name, hides no other: the id alone decides */
    phone_report(f, &b, "device.name", "A", EVIDENCE_MEASURED);
    assert_fails(fleet_device_get(f->fleet, &admin, f->owner, "A", &device, &err), err,
                 ERR_CONFLICT);
    phone_report(f, &b, "device.name", "Anna's iPhone", EVIDENCE_MEASURED);
    assert_fails(fleet_device_get(f->fleet, &admin, f->owner, "anna's iphone", &device, &err), err,
                 ERR_CONFLICT);
}

FLEET_MAIN(FLEET_TEST(a_departure_that_the_device_refused_can_be_asked_for_again),
           FLEET_TEST(a_silent_device_that_refused_to_leave_is_closed_some_day),
           FLEET_TEST(synchronising_brings_a_failed_item_again),
           FLEET_TEST(synchronising_tries_a_failed_removal_again),
           FLEET_TEST(a_new_variant_tries_again_what_failed),
           FLEET_TEST(an_item_that_is_lost_every_time_is_given_up_with_a_reason),
           FLEET_TEST(what_is_not_there_is_removed_but_not_installed),
           FLEET_TEST(what_policies_ask_for_is_not_cancelled_by_people),
           FLEET_TEST(a_name_does_not_hide_what_is_unique))
