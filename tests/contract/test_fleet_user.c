/* SPDX-License-Identifier: Apache-2.0 */
/* People who carry devices: made, edited, ended; whose a device is. */
#include "fleet/user.h"

#include "fleet/device.h"
#include "tests/contract/fleet_fixture.h"

static struct user create(struct fixture *f, const char *name, const char *mail)
{
    struct actor admin = fixture_admin(f);
    const struct user wish = {.name = mem_text(f->owner, name), .mail = mem_text(f->owner, mail)};
    struct user user;
    char *password;
    struct err err;
    assert_works(fleet_user_create(f->fleet, &admin, f->owner, &wish, &user, &password, &err), err);
    assert_true(strlen(password) >= 12);
    return user;
}

static struct user get(struct fixture *f, const char *which)
{
    struct actor admin = fixture_admin(f);
    struct user user;
    struct err err;
    assert_works(fleet_user_get(f->fleet, &admin, f->owner, which, &user, &err), err);
    return user;
}

static void a_person_is_found_by_every_name_whatever_its_case(void **state)
{
    struct fixture *f = *state;
    struct user anna = create(f, "Anna", "Anna.Berg@Example.org");
    assert_true(anna.must_change);
    assert_string_equal(get(f, "anna").id, anna.id);
    assert_string_equal(get(f, "ANNA.BERG@example.org").id, anna.id);
    assert_string_equal(get(f, anna.id).name, "Anna");
}

static void two_people_share_no_name_and_no_address(void **state)
{
    struct fixture *f = *state;
    (void)create(f, "anna", "anna@example.org");
    struct user ben = create(f, "ben", "ben@example.org");
    struct actor admin = fixture_admin(f);
    struct user wish = {.name = mem_text(f->owner, "ANNA")}, out;
    char *password;
    struct err err;
    assert_false(fleet_user_create(f->fleet, &admin, f->owner, &wish, &out, &password, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_string_equal(err.where, "/name");
    wish = (struct user){.mail = mem_text(f->owner, "Anna@example.org")};
    assert_false(fleet_user_edit(f->fleet, &admin, f->owner, ben.id, &wish, &out, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_string_equal(err.where, "/mail");
}

static void an_empty_text_takes_an_address_away_and_an_absent_one_leaves_it(void **state)
{
    struct fixture *f = *state;
    (void)create(f, "anna", "anna@example.org");
    struct actor admin = fixture_admin(f);
    struct user wish = {.full_name = mem_text(f->owner, "Anna Berg")}, out;
    struct err err;
    assert_works(fleet_user_edit(f->fleet, &admin, f->owner, "anna", &wish, &out, &err), err);
    assert_string_equal(out.mail, "anna@example.org");
    assert_string_equal(out.full_name, "Anna Berg");
    wish = (struct user){.mail = mem_text(f->owner, "")};
    assert_works(fleet_user_edit(f->fleet, &admin, f->owner, "anna", &wish, &out, &err), err);
    assert_null(out.mail);
    (void)create(f, "ann", "anna@example.org");
}

static void people_end_and_come_back_once_each(void **state)
{
    struct fixture *f = *state;
    struct user anna = create(f, "anna", "anna@example.org"), out;
    struct actor admin = fixture_admin(f);
    struct err err;
    assert_false(fleet_user_enable(f->fleet, &admin, f->owner, anna.id, &out, &err));
    assert_int_equal(err.kind, ERR_PRECONDITION);
    assert_works(fleet_user_disable(f->fleet, &admin, f->owner, anna.id, &out, &err), err);
    assert_int_equal(out.disabled_at, f->now);
    assert_false(fleet_user_disable(f->fleet, &admin, f->owner, anna.id, &out, &err));
    assert_int_equal(err.kind, ERR_PRECONDITION);
    assert_works(fleet_user_enable(f->fleet, &admin, f->owner, anna.id, &out, &err), err);
    assert_int_equal(out.disabled_at, 0);
}

static void only_who_may_touches_people(void **state)
{
    struct fixture *f = *state;
    struct user anna = create(f, "anna", "anna@example.org"), out;
    struct actor helper = fixture_account(f, ROLE_HELP_DESK);
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    char *password;
    struct err err;
    assert_works(fleet_user_get(f->fleet, &auditor, f->owner, "anna", &out, &err), err);
    assert_false(fleet_user_disable(f->fleet, &helper, f->owner, "anna", &out, &err));
    assert_int_equal(err.kind, ERR_FORBIDDEN);
    assert_works(fleet_user_reset(f->fleet, &helper, f->owner, "anna", &out, &password, &err), err);
    assert_string_not_equal(get(f, "anna").password_hash, anna.password_hash);
    assert_false(fleet_user_reset(f->fleet, &auditor, f->owner, "anna", &out, &password, &err));
    assert_int_equal(err.kind, ERR_FORBIDDEN);
}

static struct device device_get(struct fixture *f, const char *id)
{
    struct actor admin = fixture_admin(f);
    struct device device;
    struct err err;
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, id, &device, &err), err);
    return device;
}

static void a_device_has_who_carries_it(void **state)
{
    struct fixture *f = *state;
    struct user anna = create(f, "anna", "anna@example.org");
    struct phone phone = phone_enrolled(f, 0, "00008120-A");
    struct device device = device_get(f, phone.device_id);
    struct actor admin = fixture_admin(f), auditor = fixture_account(f, ROLE_AUDITOR);
    struct err err;
    assert_null(device.user_id);
    assert_works(fleet_device_set_user(f->fleet, &admin, &device, "ANNA@example.org", &err), err);
    device = device_get(f, phone.device_id);
    assert_string_equal(device.user_id, anna.id);
    assert_string_equal(device.user_name, "anna");
    assert_false(fleet_device_set_user(f->fleet, &admin, &device, "nobody", &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/user");
    assert_false(fleet_device_set_user(f->fleet, &auditor, &device, "", &err));
    assert_int_equal(err.kind, ERR_FORBIDDEN);
    assert_works(fleet_device_set_user(f->fleet, &admin, &device, "", &err), err);
    assert_null(device_get(f, phone.device_id).user_id);
}

FLEET_MAIN(FLEET_TEST(a_person_is_found_by_every_name_whatever_its_case),
           FLEET_TEST(two_people_share_no_name_and_no_address),
           FLEET_TEST(an_empty_text_takes_an_address_away_and_an_absent_one_leaves_it),
           FLEET_TEST(people_end_and_come_back_once_each), FLEET_TEST(only_who_may_touches_people),
           FLEET_TEST(a_device_has_who_carries_it))
