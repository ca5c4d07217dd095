/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping of commands: of each device, what is still needed stays. */
#include "fleet/certificate.h"
#include "fleet/upkeep.h"
#include "tests/contract/pruning.h"

static void lock(struct fixture *f, const struct phone *phone)
{
    (void)phone_order(f, phone, COMMAND_LOCK);
    assert_true(phone_obey(f, phone) > 0);
}

static int64_t commands_of(struct fixture *f, const struct phone *phone, const char *kind)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone->enrolment_id)));
    int64_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += strcmp(rows_text(rows, i, "kind"), kind) == 0;
    return count;
}

static void of_a_managed_device_the_last_of_each_kind_stays(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    for (int i = 0; i < 3; i++) {
        lock(f, &phone);
        f->now += 1;
    }
    int64_t queries = commands_of(f, &phone, "query_device");
    f->now += 91 * DAY;
    assert_int_equal(pruning_run(f, "commands"), 2);
    assert_int_equal(commands_of(f, &phone, "lock"), 1);
    assert_int_equal(commands_of(f, &phone, "query_device"), queries);
    lock(f, &phone); /* an open one, or a young one, takes the place of an old one */
    assert_int_equal(pruning_run(f, "commands"), 1);
    assert_int_equal(commands_of(f, &phone, "lock"), 1);
}

/* Whatever ends a command, the one before it is needed no longer. */
static void what_expired_takes_a_place_too(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    for (int i = 0; i < 3; i++) {
        struct command command = phone_order(f, &phone, COMMAND_RESTART);
        f->now += 400LL * DAY;
        assert_works(fleet_commands_expire(f->fleet, f->now, &err), err);
        assert_string_equal(fixture_command_state(f, command.id), "expired");
    }
    assert_int_equal(pruning_run(f, "commands"), 2);
    assert_int_equal(commands_of(f, &phone, "restart"), 1);
}

static void an_open_command_is_not_old(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    lock(f, &phone);
    (void)phone_order(f, &phone, COMMAND_LOCK);
    f->now += 400LL * DAY;
    assert_int_equal(pruning_run(f, "commands"), 0);
    assert_int_equal(commands_of(f, &phone, "lock"), 2);
}

/* The device has the item: taking the policy away must still take the item away. */
static void what_brought_an_item_stays_while_the_device_has_it(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy pin = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct assignment assignment = fixture_assign(f, pin.id, NULL);
    fixture_work(f);
    (void)phone_obey(f, &phone);
    f->now += 1;
    fixture_policy_change(f, pin.id, "{\"password.min_length\":9}");
    fixture_work(f); /* never fetched: the next takes its place */
    fixture_policy_change(f, pin.id, "{\"password.min_length\":10}");
    fixture_work(f);
    assert_int_equal(commands_of(f, &phone, "install_item"), 3);
    f->now += 400LL * DAY;
    (void)pruning_run(f, "commands");
    assert_int_equal(commands_of(f, &phone, "install_item"), 3);
    struct actor admin = fixture_admin(f);
    struct err err;
    assert_works(fleet_assignment_delete(f->fleet, &admin, pin.id, assignment.id, &err), err);
    fixture_work(f);
    assert_int_equal(commands_of(f, &phone, "remove_item"), 1);
}

static void of_a_device_that_left_all_go(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    f->now += 90 * DAY;
    assert_int_equal(pruning_run(f, "commands"), 0);
    f->now += 1;
    assert_true(pruning_run(f, "commands") > 0);
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count, 0);
}

static void a_device_that_was_told_to_leave_keeps_its_order(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct certificate_status before, after;
    struct err err;
    struct command command = phone_order(f, &phone, COMMAND_RETIRE);
    command = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    const char *serial = rows_text(
        fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id))), 0, "serial");
    assert_works(fleet_certificate_status(f->fleet, serial, &before, &err), err);
    f->now += 400LL * DAY;
    (void)pruning_run(f, "commands");
    assert_works(fleet_certificate_status(f->fleet, serial, &after, &err), err);
    assert_true(after.is_revoked);
    assert_int_equal(after.revoked_at, before.revoked_at);
}

FLEET_MAIN(FLEET_TEST(of_a_managed_device_the_last_of_each_kind_stays),
           FLEET_TEST(an_open_command_is_not_old), FLEET_TEST(what_expired_takes_a_place_too),
           FLEET_TEST(what_brought_an_item_stays_while_the_device_has_it),
           FLEET_TEST(of_a_device_that_left_all_go),
           FLEET_TEST(a_device_that_was_told_to_leave_keeps_its_order))
