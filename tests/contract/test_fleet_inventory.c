/* SPDX-License-Identifier: Apache-2.0 */
/* What is on devices: told in lists, kept as the difference, asked for by ownership. */
#include "fleet/inventory.h"
#include "tests/contract/fleet_fixture.h"

static struct thing app(struct fixture *f, const char *identifier, const char *version)
{
    return (struct thing){.identifier = mem_text(f->owner, identifier),
                          .name = mem_text(f->owner, identifier),
                          .version = version ? mem_text(f->owner, version) : NULL,
                          .detail = mem_text(f->owner, "{}")};
}

/* Ask for everything, and answer the query of this kind with the list. */
static bool told(struct fixture *f, const struct phone *phone, enum command_kind kind,
                 const struct reported_list *list)
{
    bool came = false;
    (void)phone_order(f, phone, COMMAND_SYNC);
    for (struct command c = phone_fetch(f, phone); c.id; c = phone_fetch(f, phone)) {
        struct command_result result = {.command_id = c.id, .answer = ANSWER_DONE};
        if (c.kind == (int)kind)
            result.list = list;
        came = came || c.kind == (int)kind;
        assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
    }
    return came;
}

static struct thing *apps_of(struct fixture *f, const struct phone *phone, size_t *count)
{
    struct actor admin = fixture_admin(f);
    const struct page page = {.limit = 50};
    struct list list;
    struct err err;
    assert_works(fleet_inventory_page(f->fleet, &admin, f->owner, phone->device_id, INVENTORY_APP,
                                      &page, &list, &err),
                 err);
    *count = list.count;
    return list.items;
}

static size_t lists_of(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct list list;
    struct err err;
    assert_works(fleet_inventory_lists(f->fleet, &admin, f->owner, phone->device_id, &list, &err),
                 err);
    return list.count;
}

static void only_what_differs_is_written(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct thing things[] = {app(f, "a", "1"), app(f, "b", "1"), app(f, "c", NULL)};
    struct reported_list list = {INVENTORY_APP, things, 3, false};
    size_t count = 0;
    int64_t first = f->now;
    assert_int_equal(lists_of(f, &phone), 0); /* never told: unknown */
    assert_true(told(f, &phone, COMMAND_QUERY_APPS, &list));
    assert_int_equal(lists_of(f, &phone), 1);
    f->now += 100;
    things[1].version = mem_text(f->owner, "2");
    list.count = 2;
    assert_true(told(f, &phone, COMMAND_QUERY_APPS, &list));
    struct thing *kept = apps_of(f, &phone, &count);
    assert_int_equal(count, 2);
    assert_string_equal(kept[0].identifier, "a");
    assert_int_equal(kept[0].changed_at, first);
    assert_int_equal(kept[0].reported_at, f->now);
    assert_string_equal(kept[1].version, "2");
    assert_int_equal(kept[1].first_seen_at, first);
    assert_int_equal(kept[1].changed_at, f->now);
    list.count = 0;
    assert_true(told(f, &phone, COMMAND_QUERY_APPS, &list));
    (void)apps_of(f, &phone, &count);
    assert_int_equal(count, 0);
    assert_int_equal(lists_of(f, &phone), 1); /* told, and empty */
}

static void an_app_shows_what_management_knows_of_it(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct thing things[] = {app(f, "a", "1"), app(f, "b", "1")};
    struct thing managed[] = {app(f, "b", NULL), app(f, "z", NULL)};
    managed[0].state = mem_text(f->owner, "Managed");
    managed[1].state = mem_text(f->owner, "UserRejected");
    const struct reported_list list = {INVENTORY_APP, things, 2, false};
    const struct reported_list known = {INVENTORY_MANAGED_APP, managed, 2, false};
    size_t count = 0;
    assert_true(told(f, &phone, COMMAND_QUERY_APPS, &list));
    assert_true(told(f, &phone, COMMAND_QUERY_MANAGED_APPS, &known));
    struct thing *kept = apps_of(f, &phone, &count);
    assert_int_equal(count, 3);
    assert_null(kept[0].state);
    assert_string_equal(kept[1].state, "Managed");
    assert_string_equal(kept[2].identifier, "z");
    assert_string_equal(kept[2].state, "UserRejected");
}

static void a_list_that_was_not_asked_for_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct thing things[] = {app(f, "a", "1")};
    const struct reported_list list = {INVENTORY_APP, things, 1, false};
    assert_true(told(f, &phone, COMMAND_QUERY_DEVICE, &list));
    assert_int_equal(lists_of(f, &phone), 0);
}

static void of_a_personal_device_only_what_is_ours_is_asked_and_kept(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    const struct page page = {.limit = 50};
    struct thing profiles[] = {app(f, "own", "1"), app(f, "ours", "1"), app(f, "unknown", "1")};
    struct list kept;
    struct err err;
    profiles[0].state = mem_text(f->owner, "manual");
    profiles[1].state = mem_text(f->owner, INVENTORY_MANAGED);
    const struct reported_list list = {INVENTORY_PROFILE, profiles, 3, false};
    fixture_write(f, &SQL_SET_OWNERSHIP, ARGS(TEXT(phone.device_id), TEXT("personal")));
    assert_false(told(f, &phone, COMMAND_QUERY_APPS, NULL));
    assert_false(told(f, &phone, COMMAND_QUERY_CERTIFICATES, NULL));
    assert_true(told(f, &phone, COMMAND_QUERY_ITEMS, &list));
    assert_works(fleet_inventory_page(f->fleet, &admin, f->owner, phone.device_id,
                                      INVENTORY_PROFILE, &page, &kept, &err),
                 err);
    assert_int_equal(kept.count, 1);
    assert_string_equal(((struct thing *)kept.items)[0].identifier, "ours");
    phone_report(f, &phone, "network.wifi_mac", "aa:bb", EVIDENCE_MEASURED);
    assert_int_equal(
        fixture_look(f, &SQL_LOOK_FACT, ARGS(TEXT(phone.device_id), TEXT("network.wifi_mac")))
            ->count,
        0);
}

static void a_device_is_asked_again_at_a_moment_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    int64_t again_at = 0;
    bool differ = false;
    struct err err;
    for (int i = 0; i < 20; i++) {
        int64_t before = again_at;
        assert_works(fleet_inventory_refresh(f->fleet, phone.enrolment_id, f->now, &again_at, &err),
                     err);
        assert_true(again_at >= f->now + 18 * 3600 && again_at <= f->now + 30 * 3600);
        differ = differ || (before && before != again_at);
    }
    assert_true(differ);
    assert_true(phone_identity(f, &phone).has_work);
    assert_works(fleet_inventory_refresh(f->fleet, "nobody", f->now, &again_at, &err), err);
    assert_int_equal(again_at, 0);
}

FLEET_MAIN(FLEET_TEST(only_what_differs_is_written),
           FLEET_TEST(an_app_shows_what_management_knows_of_it),
           FLEET_TEST(a_list_that_was_not_asked_for_is_not_kept),
           FLEET_TEST(of_a_personal_device_only_what_is_ours_is_asked_and_kept),
           FLEET_TEST(a_device_is_asked_again_at_a_moment_of_its_own))
