/* SPDX-License-Identifier: Apache-2.0 */
/* What should be on devices, what is, and the difference. */
#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

static const char *item_state(struct fixture *f, const struct phone *phone, const char *item)
{
    struct effective effective = fixture_effective(f, phone->device_id);
    for (size_t i = 0; i < effective.item_count; i++)
        if (strcmp(effective.items[i].item, item) == 0)
            return command_state_names[effective.items[i].state];
    return NULL;
}

static struct phone phone_with(struct fixture *f, const char *content)
{
    struct policy policy = fixture_policy(f, "Base", "configuration", content);
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    return phone;
}

/* The open installs and removals of a device. */
static size_t open_items(struct fixture *f, const struct phone *phone)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone->enrolment_id)));
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += rows_integer(rows, i, "finished_at") == 0 && rows_text(rows, i, "item");
    return count;
}

/* ---- from policy to command ---- */

/* proves: 4c-3 */
/* proves-partly: 4c-2 */
static void a_policy_made_before_any_device_reaches_each_from_its_enrolment_on(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    struct phone phone = phone_certified(f, 0, "A");
    phone_authenticate(f, &phone);
    assert_true(phone_activate(f, &phone));
    assert_string_equal(fixture_value(f, phone.device_id, "password.min_length"), "8");
    fixture_work(f);
    struct command command = phone_fetch(f, &phone);
    assert_int_equal(command.kind, COMMAND_INSTALL_ITEM); /* before the queries */
    assert_string_equal(command.item, "password");
}

static void nothing_assigned_is_an_empty_set_and_no_command(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_work(f);
    assert_int_equal(fixture_effective(f, phone.device_id).count, 0);
    assert_null(phone_fetch(f, &phone).id);
}

static void an_item_goes_from_queued_to_verified(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    assert_string_equal(item_state(f, &phone, "password"), "queued");
    assert_true(phone_push(f, &phone, WAKE_SENT, 0));
    assert_string_equal(item_state(f, &phone, "password"), "sent");
    struct command install = phone_fetch(f, &phone);
    assert_string_equal(item_state(f, &phone, "password"), "delivered");
    struct effective effective = fixture_effective(f, phone.device_id);
    struct command_result result = {.command_id = install.id,
                                    .answer = ANSWER_DONE,
                                    .item_hash = effective.items[0].wanted_hash};
    assert_int_equal(phone_finish(f, &phone, &result), RESULT_TAKEN);
    assert_string_equal(item_state(f, &phone, "password"), "applied");
    assert_int_equal(phone_obey(f, &phone), 2); /* it is asked what it has, and how safe it is */
    assert_string_equal(item_state(f, &phone, "password"), "verified");
    assert_string_equal(fixture_command_state(f, install.id), "verified");
}

/* What a room that knows nothing of hashes reports: the install was acknowledged. */
static void an_item_that_failed_keeps_its_reason(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    struct command install = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, install.id, ANSWER_FAILED), RESULT_TAKEN);
    struct effective effective = fixture_effective(f, phone.device_id);
    assert_int_equal(effective.items[0].state, COMMAND_FAILED);
    assert_string_equal(effective.items[0].reason, "the device says no");
    assert_string_equal(effective.items[0].remedy, "ask it nicely");
}

/* ---- differences ---- */

static void equal_devices_share_one_variant(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    struct phone other = phone_enrolled(f, 1, "B"), third = phone_enrolled(f, 2, "C");
    fixture_work(f);
    const char *hash = fixture_effective(f, phone.device_id).variant_hash;
    assert_string_equal(fixture_effective(f, other.device_id).variant_hash, hash);
    assert_string_equal(fixture_effective(f, third.device_id).variant_hash, hash);
    struct rows *rows = fixture_look(f, &SQL_LOOK_VARIANTS, NO_ARGS);
    assert_int_equal(rows->count, 2); /* and the empty one of before */
}

static void the_platform_makes_another_variant(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    struct phone mac = phone_certified(f, 1, "B");
    struct identity identity = phone_identity(f, &mac);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = {.udid = "B", .platform = PLATFORM_MACOS};
    struct err err;
    assert_works(fleet_authenticate(f->fleet, &actor, &identity, &claims, &err), err);
    mac.device_id = phone_identity(f, &mac).device_id;
    assert_true(phone_activate(f, &mac));
    assert_string_not_equal(fixture_effective(f, phone.device_id).variant_hash,
                            fixture_effective(f, mac.device_id).variant_hash);
}

/* proves-partly: 4c-2 */
static void a_change_for_one_device_of_three_concerns_that_one(void **state)
{
    struct fixture *f = *state;
    struct phone a = phone_with(f, "{\"password.min_length\":8}");
    struct phone b = phone_enrolled(f, 1, "B"), c = phone_enrolled(f, 2, "C");
    fixture_work(f);
    (void)phone_obey(f, &a);
    (void)phone_obey(f, &b);
    (void)phone_obey(f, &c);
    struct policy policy =
        fixture_policy(f, "More", "configuration", "{\"password.min_length\":10}");
    fixture_assign(f, policy.id, b.device_id);
    fixture_work(f);
    assert_string_equal(fixture_value(f, a.device_id, "password.min_length"), "8");
    assert_string_equal(fixture_value(f, b.device_id, "password.min_length"), "10");
    assert_int_equal(open_items(f, &a), 0);
    assert_int_equal(open_items(f, &b), 1);
    assert_int_equal(open_items(f, &c), 0);
    (void)phone_obey(f, &b);
    fixture_policy_change(f, policy.id, "{\"password.min_length\":12}");
    fixture_work(f);
    assert_int_equal(open_items(f, &a), 0);
    assert_int_equal(open_items(f, &b), 1);
    assert_string_equal(fixture_value(f, b.device_id, "password.min_length"), "12");
}

static void only_items_that_differ_are_sent(void **state)
{
    struct fixture *f = *state;
    struct phone phone =
        phone_with(f, "{\"password.min_length\":8,\"encryption.storage_card\":true}");
    assert_int_equal(open_items(f, &phone), 2);
    (void)phone_obey(f, &phone);
    struct policy policy =
        fixture_policy(f, "More", "configuration", "{\"password.min_length\":10}");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    assert_int_equal(open_items(f, &phone), 1);
    assert_string_equal(phone_fetch(f, &phone).item, "password");
}

static void a_revision_that_changes_no_value_sends_nothing(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    (void)phone_obey(f, &phone);
    fixture_policy_change(f, policy.id, "{\"password.min_length\":8}");
    fixture_work(f);
    assert_int_equal(open_items(f, &phone), 0);
    assert_string_equal(item_state(f, &phone, "password"), "verified");
}

static void what_nobody_sets_any_more_is_removed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct phone phone = phone_enrolled(f, 0, "A");
    struct assignment assignment = fixture_assign(f, policy.id, NULL);
    struct err err;
    fixture_work(f);
    (void)phone_obey(f, &phone);
    assert_works(fleet_assignment_delete(f->fleet, &admin, policy.id, assignment.id, &err), err);
    fixture_work(f);
    struct command removal = phone_fetch(f, &phone);
    assert_int_equal(removal.kind, COMMAND_REMOVE_ITEM);
    assert_string_equal(removal.item, "password");
    assert_int_equal(phone_answer(f, &phone, removal.id, ANSWER_DONE), RESULT_TAKEN);
    assert_null(item_state(f, &phone, "password"));
    (void)phone_obey(f, &phone);
    fixture_work(f);
    assert_int_equal(open_items(f, &phone), 0);
}

static void what_a_deleted_policy_set_is_removed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    fixture_assign(f, policy.id, phone.device_id);
    fixture_work(f);
    (void)phone_obey(f, &phone);
    assert_works(fleet_policy_delete(f->fleet, &admin, policy.id, 0, &err), err);
    fixture_work(f);
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_REMOVE_ITEM);
}

static void what_was_never_fetched_is_not_removed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct phone phone = phone_enrolled(f, 0, "A");
    struct assignment assignment = fixture_assign(f, policy.id, NULL);
    struct err err;
    fixture_work(f);
    assert_works(fleet_assignment_delete(f->fleet, &admin, policy.id, assignment.id, &err), err);
    fixture_work(f);
    assert_null(phone_fetch(f, &phone).id);
    assert_null(item_state(f, &phone, "password"));
}

static void a_newer_change_replaces_one_that_was_not_fetched(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    fixture_policy_change(f, policy.id, "{\"password.min_length\":9}");
    fixture_work(f);
    assert_int_equal(open_items(f, &phone), 1);
    (void)phone_obey(f, &phone);
    fixture_work(f);
    assert_int_equal(open_items(f, &phone), 0);
    assert_string_equal(item_state(f, &phone, "password"), "verified");
}

/* The device acknowledges an install that was replaced while it was under way. */
static void a_late_answer_to_a_replaced_install_does_not_count_as_the_new_one(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    struct command old = phone_fetch(f, &phone);
    fixture_policy_change(f, policy.id, "{\"password.min_length\":9}");
    fixture_work(f);
    struct command_result late = {
        .command_id = old.id, .answer = ANSWER_DONE, .item_hash = "of the old one"};
    assert_int_equal(phone_finish(f, &phone, &late), RESULT_REPEATED);
    struct effective effective = fixture_effective(f, phone.device_id);
    assert_int_equal(effective.items[0].state, COMMAND_QUEUED);
    assert_string_not_equal(phone_fetch(f, &phone).id, old.id);
}

static void a_plan_for_an_older_variant_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    struct actor system = fleet_system_actor(f->now);
    struct wanted_item item = {"strange", "hash", CARRIER_COMMAND};
    struct err err;
    assert_works(
        fleet_plan(f->fleet, &system, phone.device_id, "an older one", &item, 1, NULL, &err), err);
    assert_null(item_state(f, &phone, "strange"));
    assert_int_equal(open_items(f, &phone), 1);
}

/* ---- reading back ---- */

static void report_items(struct fixture *f, const struct phone *phone, const char *hash)
{
    struct reported_item item = {"password", hash};
    struct command query = phone_order(f, phone, COMMAND_QUERY_ITEMS);
    assert_string_equal(phone_fetch(f, phone).id, query.id);
    struct command_result result = {.command_id = query.id,
                                    .answer = ANSWER_DONE,
                                    .items = &item,
                                    .item_count = hash ? 1 : 0,
                                    .has_items = true};
    assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
}

static void an_item_that_the_device_lost_is_installed_again(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    (void)phone_obey(f, &phone);
    report_items(f, &phone, NULL);
    assert_int_equal(fixture_events(f, "item.missing"), 1);
    assert_string_equal(item_state(f, &phone, "password"), "queued");
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_INSTALL_ITEM);
    (void)phone_obey(f, &phone);
    assert_string_equal(item_state(f, &phone, "password"), "verified");
}

static void an_item_that_somebody_changed_is_installed_again(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    (void)phone_obey(f, &phone);
    report_items(f, &phone, "something else");
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_INSTALL_ITEM);
}

static void a_verified_item_that_is_still_there_stays_verified(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_with(f, "{\"password.min_length\":8}");
    (void)phone_obey(f, &phone);
    report_items(f, &phone, fixture_effective(f, phone.device_id).items[0].hash);
    assert_string_equal(item_state(f, &phone, "password"), "verified");
    assert_int_equal(open_items(f, &phone), 0);
}

/* ---- what a platform cannot carry ---- */

static const char *has_no_card(enum setting_id setting, const struct target_device *device)
{
    (void)device;
    return strcmp(settings[setting].area, "encryption") == 0 ? "this platform has no such thing"
                                                             : NULL;
}

/* proves-partly: 4c-6, 4c-14 */
static void what_the_room_cannot_carry_is_explained_and_not_sent(void **state)
{
    struct fixture *f = *state;
    fleet_set_rooms(f->shared, has_no_card, NULL);
    struct phone phone =
        phone_with(f, "{\"password.min_length\":8,\"encryption.storage_card\":true}");
    struct effective effective = fixture_effective(f, phone.device_id);
    assert_int_equal(effective.count, 1);
    assert_int_equal(open_items(f, &phone), 1);
    assert_non_null(strstr(effective.decisions, "this platform has no such thing"));
    assert_non_null(strstr(effective.decisions, "\"not_applicable\""));
}

FLEET_MAIN(FLEET_TEST(a_policy_made_before_any_device_reaches_each_from_its_enrolment_on),
           FLEET_TEST(nothing_assigned_is_an_empty_set_and_no_command),
           FLEET_TEST(an_item_goes_from_queued_to_verified),
           FLEET_TEST(an_item_that_failed_keeps_its_reason),
           FLEET_TEST(equal_devices_share_one_variant),
           FLEET_TEST(the_platform_makes_another_variant),
           FLEET_TEST(a_change_for_one_device_of_three_concerns_that_one),
           FLEET_TEST(only_items_that_differ_are_sent),
           FLEET_TEST(a_revision_that_changes_no_value_sends_nothing),
           FLEET_TEST(what_nobody_sets_any_more_is_removed),
           FLEET_TEST(what_a_deleted_policy_set_is_removed),
           FLEET_TEST(what_was_never_fetched_is_not_removed),
           FLEET_TEST(a_newer_change_replaces_one_that_was_not_fetched),
           FLEET_TEST(a_late_answer_to_a_replaced_install_does_not_count_as_the_new_one),
           FLEET_TEST(a_plan_for_an_older_variant_does_nothing),
           FLEET_TEST(an_item_that_the_device_lost_is_installed_again),
           FLEET_TEST(an_item_that_somebody_changed_is_installed_again),
           FLEET_TEST(a_verified_item_that_is_still_there_stays_verified),
           FLEET_TEST(what_the_room_cannot_carry_is_explained_and_not_sent))
