/* SPDX-License-Identifier: Apache-2.0 */
/* Which device is meant, which are listed, and that lists and numbers agree. */
#include "base/text.h"
#include "codec/json.h"
#include "fleet/device.h"
#include "tests/contract/fleet_fixture.h"

/* It tells of itself what it likes. */
static struct phone phone_called(struct fixture *f, size_t key, const char *udid, const char *name,
                                 const char *serial)
{
    struct phone phone = phone_certified(f, key, udid);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = phone_claims(&phone);
    struct err err;
    claims.name = name;
    claims.serial = serial;
    assert_works(fleet_authenticate(f->fleet, &actor, &identity, &claims, &err), err);
    phone.device_id = phone_identity(f, &phone).device_id;
    assert_true(phone_activate(f, &phone));
    return phone;
}

static void assert_found(struct fixture *f, const char *which, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct device device;
    struct err err;
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, which, &device, &err), err);
    assert_string_equal(device.id, phone->device_id);
}

static void assert_unclear(struct fixture *f, const char *which)
{
    struct actor admin = fixture_admin(f);
    struct device device;
    struct err err;
    assert_fails(fleet_device_get(f->fleet, &admin, f->owner, which, &device, &err), err,
                 ERR_CONFLICT);
    assert_non_null(err.remedy);
}

static void a_device_is_found_by_each_of_its_names(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_called(f, 0, "udid-1", "Lobby iPhone", "F2LX1");
    assert_found(f, phone.device_id, &phone);
    assert_found(f, "F2LX1", &phone);
    assert_found(f, "udid-1", &phone);
    assert_found(f, "lobby IPHONE", &phone);
}

static void no_serial_number_hides_the_name_of_another_device(void **state)
{
    struct fixture *f = *state;
    struct phone lobby = phone_called(f, 0, "udid-1", "Lobby iPhone", "F2LX1");
    struct phone evil = phone_called(f, 1, "udid-2", "Evil", "Lobby iPhone");
    assert_unclear(f, "Lobby iPhone");
    assert_found(f, "lobby iphone", &lobby); /* a serial number is as it is spelled */
    assert_found(f, "Evil", &evil);
}

static void no_name_hides_the_serial_number_or_udid_of_another_device(void **state)
{
    struct fixture *f = *state;
    (void)phone_called(f, 0, "udid-1", "Lobby iPhone", "F2LX1");
    (void)phone_called(f, 1, "udid-2", "f2lx1", "S2");
    (void)phone_called(f, 2, "udid-3", "Desk", "udid-1");
    assert_unclear(f, "F2LX1");
    assert_unclear(f, "udid-1");
}

static void an_identifier_is_never_hidden(void **state)
{
    struct fixture *f = *state;
    struct phone lobby = phone_called(f, 0, "udid-1", "Lobby iPhone", "F2LX1");
    (void)phone_called(f, 1, "udid-2", lobby.device_id, lobby.device_id);
    assert_found(f, lobby.device_id, &lobby);
}

/* ---- lists and numbers ---- */

static size_t listed(struct fixture *f, const char *compliance, bool with_left)
{
    struct actor admin = fixture_admin(f);
    const struct device_filter filter = {.compliance = compliance, .with_left = with_left};
    const struct page page = {.limit = LIST_LIMIT_MAX};
    struct list list;
    struct err err;
    assert_works(fleet_device_list(f->fleet, &admin, f->owner, &filter, &page, &list, &err), err);
    for (size_t i = 0; compliance && i < list.count; i++)
        assert_string_equal(((struct device *)list.items)[i].compliance, compliance);
    return list.count;
}

static struct fleet_status status_of(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    struct fleet_status status;
    struct err err;
    assert_works(fleet_status_get(f->fleet, &admin, f->owner, &status, &err), err);
    return status;
}

static void a_number_of_the_status_is_the_length_of_its_list(void **state)
{
    struct fixture *f = *state;
    const struct json_limits limits = {4096, 4, 64};
    struct phone phone = phone_enrolled(f, 0, "udid-1");
    (void)phone_enrolled(f, 1, "udid-2");
    (void)phone_enrolled(f, 2, "udid-3");
    struct policy healthy =
        fixture_policy(f, "Healthy", "compliance", "{\"password.required\": true}");
    (void)fixture_assign(f, healthy.id, phone.device_id);
    fixture_work(f);
    struct fleet_status status = status_of(f);
    CLEANUP(json_decref_at) json_t *states = NULL;
    struct err err;
    assert_works(json_parse(bytes_text(status.compliance), &limits, &states, &err), err);
    const char *state_name;
    json_t *count;
    json_object_foreach(states, state_name, count)
        assert_int_equal(listed(f, state_name, false), json_integer_value(count));
    assert_int_equal(json_integer_value(json_object_get(states, "not_evaluated")), 2);
    assert_int_equal(listed(f, NULL, false), status.device_count);
}

static void a_device_that_left_is_listed_and_counted_no_more(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "udid-1");
    (void)phone_enrolled(f, 1, "udid-2");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    assert_int_equal(status_of(f).device_count, 1);
    assert_int_equal(listed(f, NULL, false), 1);
    assert_int_equal(listed(f, "not_evaluated", false), 1);
    assert_int_equal(listed(f, "not_evaluated", true), 1);
    assert_int_equal(listed(f, NULL, true), 2);
    assert_found(f, "udid-1", &phone);
}

FLEET_MAIN(FLEET_TEST(a_device_is_found_by_each_of_its_names),
           FLEET_TEST(no_serial_number_hides_the_name_of_another_device),
           FLEET_TEST(no_name_hides_the_serial_number_or_udid_of_another_device),
           FLEET_TEST(an_identifier_is_never_hidden),
           FLEET_TEST(a_number_of_the_status_is_the_length_of_its_list),
           FLEET_TEST(a_device_that_left_is_listed_and_counted_no_more))
