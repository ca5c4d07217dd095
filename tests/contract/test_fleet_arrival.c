/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a device is follows the way in by which it came last. */
#include "fleet/device.h"
#include "fleet/inventory.h"
#include "pki/digest.h"
#include "tests/contract/fleet_fixture.h"

static struct enrolment_link link_made(struct fixture *f, const char *device_id, int ownership,
                                       char **token)
{
    struct actor admin = fixture_admin(f);
    struct enrolment_link link, wish = {.ownership = ownership};
    struct err err;
    if (device_id)
        wish.device_id = mem_text(f->owner, device_id);
    assert_works(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, token, &err), err);
    return link;
}

/* The phone again, by a link that says whose it is. */
static struct phone come_again(struct fixture *f, const struct phone *old, size_t key,
                               int ownership)
{
    struct actor someone = fixture_public(f);
    struct phone phone = {.udid = old->udid, .topic = old->topic};
    struct err err;
    char *token;
    (void)link_made(f, old->device_id, ownership, &token);
    assert_works(
        fleet_enrolment_start(f->fleet, &someone, f->owner, token, "apple", &phone.start, &err),
        err);
    struct certificate_asked asked = fixture_asked(f, &phone.start, key);
    struct issued issued = fixture_issue(f, &asked);
    digest_sha256(issued.der, phone.sha256);
    phone.enrolment_id = phone.start.enrolment_id;
    phone_authenticate(f, &phone);
    return phone;
}

static int ownership_of(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct device device;
    struct err err;
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, phone->device_id, &device, &err),
                 err);
    return device.ownership;
}

static size_t count_of(struct fixture *f, const struct phone *phone, enum inventory_kind kind)
{
    struct actor admin = fixture_admin(f);
    const struct page page = {.limit = 50};
    struct list list;
    struct err err;
    assert_works(fleet_inventory_page(f->fleet, &admin, f->owner, phone->device_id, kind, &page,
                                      &list, &err),
                 err);
    return list.count;
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

/* Asks for everything and answers each list with one thing; how many private ones were asked for.
 */
static size_t tell_everything(struct fixture *f, const struct phone *phone)
{
    static const struct {
        enum command_kind asked;
        enum inventory_kind told;
    } rows[] = {{COMMAND_QUERY_APPS, INVENTORY_APP},
                {COMMAND_QUERY_MANAGED_APPS, INVENTORY_MANAGED_APP},
                {COMMAND_QUERY_CERTIFICATES, INVENTORY_CERTIFICATE},
                {COMMAND_QUERY_ITEMS, INVENTORY_PROFILE}};
    struct actor admin = fixture_admin(f);
    struct thing thing = {.identifier = mem_text(f->owner, "org.example.one"),
                          .name = mem_text(f->owner, "One"),
                          .detail = mem_text(f->owner, "{}")};
    struct command command;
    struct err err;
    size_t asked = 0;
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, phone->device_id, COMMAND_SYNC,
                                      NULL, &command, &err),
                 err);
    for (struct command c = phone_fetch(f, phone); c.id; c = phone_fetch(f, phone)) {
        struct reported_list list = {INVENTORY_APP, &thing, 1, false};
        struct command_result result = {.command_id = c.id, .answer = ANSWER_DONE};
        for (size_t i = 0; i < COUNT(rows); i++)
            if (c.kind == (int)rows[i].asked) {
                list.kind = rows[i].told;
                result.list = &list;
            }
        asked += c.kind == COMMAND_QUERY_APPS || c.kind == COMMAND_QUERY_CERTIFICATES;
        assert_int_equal(phone_finish(f, phone, &result), RESULT_TAKEN);
    }
    return asked;
}

static void what_a_personal_device_need_not_show_is_deleted(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    assert_int_equal(tell_everything(f, &old), 2);
    phone_report(f, &old, "network.wifi_mac", "02:00:00:00:00:01", EVIDENCE_MEASURED);
    phone_report(f, &old, "battery.level", "0.5", EVIDENCE_MEASURED);
    assert_int_equal(count_of(f, &old, INVENTORY_CERTIFICATE), 1);
    struct phone new = come_again(f, &old, 1, OWNERSHIP_PERSONAL);
    assert_int_equal(ownership_of(f, &old), OWNERSHIP_COMPANY); /* not completed yet */
    assert_int_equal(count_of(f, &old, INVENTORY_CERTIFICATE), 1);
    assert_true(phone_activate(f, &new));
    assert_int_equal(ownership_of(f, &new), OWNERSHIP_PERSONAL);
    assert_int_equal(count_of(f, &new, INVENTORY_CERTIFICATE), 0);
    assert_int_equal(count_of(f, &new, INVENTORY_PROFILE), 0);
    assert_int_equal(count_of(f, &new, INVENTORY_APP), 1); /* what management brought */
    assert_int_equal(lists_of(f, &new), 1);
    assert_int_equal(
        fixture_look(f, &SQL_LOOK_FACT, ARGS(TEXT(new.device_id), TEXT("network.wifi_mac")))->count,
        0);
    assert_int_equal(
        fixture_look(f, &SQL_LOOK_FACT, ARGS(TEXT(new.device_id), TEXT("battery.level")))->count,
        1);
    assert_int_equal(tell_everything(f, &new), 0);
    assert_int_equal(count_of(f, &new, INVENTORY_CERTIFICATE), 0);
    struct rows *audit = fixture_look(f, &SQL_LOOK_AUDIT_COUNT, ARGS(TEXT("device.ownership")));
    assert_int_equal(rows_integer(audit, 0, "count"), 1);
    assert_non_null(strstr(fixture_event(f, "device.ownership"), "personal"));
}

static void a_personal_device_becomes_the_organisations(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct phone own = come_again(f, &old, 1, OWNERSHIP_PERSONAL);
    assert_true(phone_activate(f, &own));
    assert_int_equal(tell_everything(f, &own), 0);
    struct phone company = come_again(f, &own, 2, OWNERSHIP_COMPANY);
    assert_int_equal(ownership_of(f, &own), OWNERSHIP_PERSONAL);
    assert_true(phone_activate(f, &company));
    assert_int_equal(ownership_of(f, &company), OWNERSHIP_COMPANY);
    assert_int_equal(tell_everything(f, &company), 2);
    assert_int_equal(count_of(f, &company, INVENTORY_CERTIFICATE), 1);
}

/* Who only brings a device back does not say that its owner's things are the organisation's. */
static void a_link_for_a_device_that_says_nothing_keeps_whose_it_is(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct phone own = come_again(f, &old, 1, OWNERSHIP_PERSONAL);
    char *token;
    assert_true(phone_activate(f, &own));
    assert_int_equal(link_made(f, own.device_id, OWNERSHIP_UNSAID, &token).ownership,
                     OWNERSHIP_PERSONAL);
    assert_int_equal(link_made(f, NULL, OWNERSHIP_UNSAID, &token).ownership, OWNERSHIP_COMPANY);
    struct phone again = come_again(f, &own, 2, OWNERSHIP_UNSAID);
    assert_true(phone_activate(f, &again));
    assert_int_equal(ownership_of(f, &again), OWNERSHIP_PERSONAL);
    assert_int_equal(fixture_events(f, "device.ownership"), 1);
}

FLEET_MAIN(FLEET_TEST(what_a_personal_device_need_not_show_is_deleted),
           FLEET_TEST(a_personal_device_becomes_the_organisations),
           FLEET_TEST(a_link_for_a_device_that_says_nothing_keeps_whose_it_is))
