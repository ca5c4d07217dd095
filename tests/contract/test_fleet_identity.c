/* SPDX-License-Identifier: Apache-2.0 */
/* Who a certificate stands for: every change is seen at once, and looking costs nothing. */
#include "fleet/certificate.h"
#include "fleet/device.h"
#include "fleet/job.h"
#include "tests/contract/fleet_fixture.h"

static void look_twice(struct fixture *f, const struct phone *phone)
{
    struct identity first = phone_identity(f, phone), second = phone_identity(f, phone);
    assert_string_equal(first.enrolment_id, second.enrolment_id);
}

static void an_unknown_certificate_is_nobody(void **state)
{
    struct fixture *f = *state;
    uint8_t sha256[32] = {1};
    struct identity identity;
    struct err err;
    assert_fails(fleet_identify(f->fleet, f->owner, sha256, &identity, &err), err, ERR_NOT_FOUND);
    struct phone phone = phone_certified(f, 0, "A");
    memcpy(sha256, phone.sha256, 32);
    sha256[31] ^= 1;
    look_twice(f, &phone);
    assert_fails(fleet_identify(f->fleet, f->owner, sha256, &identity, &err), err, ERR_NOT_FOUND);
}

static void each_step_of_an_enrolment_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    look_twice(f, &phone);
    phone_authenticate(f, &phone);
    assert_string_equal(phone_identity(f, &phone).udid, "A");
    assert_false(phone_identity(f, &phone).has_work);
    assert_true(phone_activate(f, &phone));
    assert_int_equal(phone_identity(f, &phone).enrolment_state, ENROLMENT_ACTIVE);
    assert_true(phone_identity(f, &phone).has_work);
    (void)phone_obey(f, &phone);
    assert_false(phone_identity(f, &phone).has_work);
}

static void a_new_command_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    static const enum command_kind kinds[] = {COMMAND_LOCK, COMMAND_RESTART, COMMAND_SYNC};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        look_twice(f, &phone);
        assert_false(phone_identity(f, &phone).has_work);
        (void)phone_order(f, &phone, kinds[i]);
        assert_true(phone_identity(f, &phone).has_work);
        (void)phone_obey(f, &phone);
        assert_false(phone_identity(f, &phone).has_work);
    }
}

static void a_cancelled_command_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    struct command command = phone_order(f, &phone, COMMAND_LOCK);
    look_twice(f, &phone);
    assert_works(fleet_command_cancel(f->fleet, &admin, command.id, &err), err);
    assert_false(phone_identity(f, &phone).has_work);
}

static void a_deferred_command_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    struct command command = phone_order(f, &phone, COMMAND_RESTART);
    assert_false(phone_identity(f, &phone).has_deferred);
    command = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_NOT_NOW), RESULT_TAKEN);
    struct identity identity = phone_identity(f, &phone);
    assert_true(identity.has_deferred);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    assert_works(fleet_session_begin(f->fleet, &actor, &identity, &err), err);
    assert_false(phone_identity(f, &phone).has_deferred);
    assert_true(phone_identity(f, &phone).has_work);
}

static void a_planned_item_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy policy =
        fixture_policy(f, "PIN", "configuration", "{\"password.required\":true}");
    fixture_work(f);
    look_twice(f, &phone);
    assert_false(phone_identity(f, &phone).has_work);
    fixture_assign(f, policy.id, NULL);
    fixture_work(f);
    assert_true(phone_identity(f, &phone).has_work);
}

static void a_revoked_certificate_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    look_twice(f, &phone);
    const char *id = phone_identity(f, &phone).certificate_id;
    assert_works(fleet_certificate_revoke(f->fleet, &admin, id, 1, &err), err);
    assert_int_equal(phone_identity(f, &phone).certificate_state, CERTIFICATE_REVOKED);
    assert_fails(fleet_certificate_revoke(f->fleet, &admin, id, 1, &err), err, ERR_CONFLICT);
}

static void a_departure_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum command_kind kind;
        enum enrolment_state during, after;
    } rows[] = {{COMMAND_RETIRE, ENROLMENT_RETIRING, ENROLMENT_RETIRED},
                {COMMAND_WIPE, ENROLMENT_WIPING, ENROLMENT_WIPED}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "A" : "B");
        look_twice(f, &phone);
        (void)phone_order(f, &phone, rows[i].kind);
        assert_int_equal(phone_identity(f, &phone).enrolment_state, rows[i].during);
        assert_int_equal(phone_identity(f, &phone).certificate_state, CERTIFICATE_REVOKED);
        assert_int_equal(phone_obey(f, &phone), 1);
        assert_int_equal(phone_identity(f, &phone).enrolment_state, rows[i].after);
        assert_false(phone_identity(f, &phone).has_work);
    }
}

static void a_newer_enrolment_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    look_twice(f, &old);
    (void)phone_enrolled(f, 1, "A");
    assert_int_equal(phone_identity(f, &old).enrolment_state, ENROLMENT_SUPERSEDED);
}

static void a_reported_version_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    look_twice(f, &phone);
    phone_report(f, &phone, "os.version", "18.0", EVIDENCE_MEASURED);
    assert_string_equal(phone_identity(f, &phone).os_version, "18.0");
}

static bool known(struct fixture *f, const struct phone *phone, struct identity *out)
{
    struct fleet *memory = fleet_of_memory(f->owner, f->shared);
    return fleet_identify_known(memory, f->owner, phone->sha256, out);
}

static void memory_says_nothing_that_is_not_so_any_more(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity;
    look_twice(f, &phone);
    assert_true(known(f, &phone, &identity));
    assert_string_equal(identity.udid, "A");
    assert_false(identity.has_work);
    (void)phone_order(f, &phone, COMMAND_LOCK);
    assert_false(known(f, &phone, &identity));
    look_twice(f, &phone);
    assert_true(known(f, &phone, &identity) && identity.has_work);
    fleet_forget_all(f->shared);
    assert_false(known(f, &phone, &identity));
}

static void an_idle_device_costs_no_write(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    look_twice(f, &phone);
    uint64_t transactions = database_transactions(f->contract->database);
    uint64_t commits = database_commits(f->contract->database);
    for (int i = 0; i < 100; i++) {
        struct identity identity = phone_identity(f, &phone);
        struct actor actor = fleet_device_actor(&identity, "r", f->now);
        struct command command;
        struct err err;
        fleet_contact(f->fleet, &identity, f->now + i);
        assert_works(fleet_session_begin(f->fleet, &actor, &identity, &err), err);
        assert_works(fleet_command_fetch(f->fleet, &actor, f->owner, &identity, COMMANDS_ALL,
                                         &command, &err),
                     err);
        assert_null(command.id);
    }
    assert_int_equal(database_transactions(f->contract->database), transactions);
    assert_int_equal(database_commits(f->contract->database), commits);
}

/* proves-partly: 4d-1 */
static void contacts_are_written_in_one_batch(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct device device;
    struct err err;
    fleet_contact(f->fleet, &identity, f->now + 30);
    fleet_contact(f->fleet, &identity, f->now + 50);
    fleet_contact(f->fleet, &identity, f->now + 40);
    uint64_t transactions = database_transactions(f->contract->database);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    assert_int_equal(database_transactions(f->contract->database), transactions + 1);
    assert_works(fleet_contacts_flush(f->fleet, &err), err);
    assert_int_equal(database_transactions(f->contract->database), transactions + 1);
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, phone.device_id, &device, &err), err);
    assert_int_equal(device.last_contact_at, f->now + 50);
}

FLEET_MAIN(FLEET_TEST(an_unknown_certificate_is_nobody),
           FLEET_TEST(each_step_of_an_enrolment_is_seen_at_once),
           FLEET_TEST(a_new_command_is_seen_at_once),
           FLEET_TEST(a_cancelled_command_is_seen_at_once),
           FLEET_TEST(a_deferred_command_is_seen_at_once),
           FLEET_TEST(a_planned_item_is_seen_at_once),
           FLEET_TEST(a_revoked_certificate_is_seen_at_once),
           FLEET_TEST(a_departure_is_seen_at_once), FLEET_TEST(a_newer_enrolment_is_seen_at_once),
           FLEET_TEST(a_reported_version_is_seen_at_once),
           FLEET_TEST(memory_says_nothing_that_is_not_so_any_more),
           FLEET_TEST(an_idle_device_costs_no_write), FLEET_TEST(contacts_are_written_in_one_batch))
