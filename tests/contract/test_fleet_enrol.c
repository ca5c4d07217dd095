/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/audit.h"
#include "fleet/certificate.h"
#include "fleet/device.h"
#include "fleet/push.h"
#include "pki/digest.h"
#include "tests/contract/fleet_fixture.h"

static bool authenticate(struct fixture *f, const struct phone *phone, const char *udid,
                         struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = phone_claims(phone);
    claims.udid = udid;
    return fleet_authenticate(f->fleet, &actor, &identity, &claims, err);
}

static bool activate(struct fixture *f, const struct phone *phone, const char *token,
                     const char *unlock, struct err *err)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct push_address address = {
        .topic = phone->topic,
        .token = bytes_text(token),
        .magic = bytes_text("magic"),
        .unlock_token = unlock ? bytes_text(unlock) : NO_BYTES,
    };
    bool first;
    return fleet_activate(f->fleet, &actor, &identity, &address, &first, err);
}

static size_t device_count(struct fixture *f)
{
    return fixture_look(f, &SQL_LOOK_DEVICES, NO_ARGS)->count;
}

/* ---- first contact ---- */

/* proves-partly: 4c-35 */
static void a_device_is_made_at_first_contact_and_bound_to_its_certificate(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "00008110-A");
    struct identity before = phone_identity(f, &phone);
    assert_null(before.device_id);
    assert_null(before.udid);
    assert_int_equal(before.enrolment_state, ENROLMENT_PENDING);
    phone_authenticate(f, &phone);
    struct identity after = phone_identity(f, &phone);
    assert_string_equal(after.udid, "00008110-A");
    assert_string_equal(after.os_version, "17.5.1");
    assert_true(after.is_seen);
    assert_int_equal(after.enrolment_state, ENROLMENT_PENDING);
    struct rows *rows = fixture_look(f, &SQL_LOOK_DEVICES, NO_ARGS);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "name"), "Anna's iPhone");
}

static void a_device_without_a_name_is_called_by_what_it_is(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = {
        .udid = "A", .model = "iPad", .serial = "C02XYZ", .platform = PLATFORM_IPADOS};
    struct err err;
    assert_works(fleet_authenticate(f->fleet, &actor, &identity, &claims, &err), err);
    struct rows *rows = fixture_look(f, &SQL_LOOK_DEVICES, NO_ARGS);
    assert_string_equal(rows_text(rows, 0, "name"), "iPad C02XYZ");
}

static void a_repeated_first_contact_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    phone_authenticate(f, &phone);
    const char *device = phone.device_id;
    phone_authenticate(f, &phone);
    assert_string_equal(phone.device_id, device);
    assert_true(phone_activate(f, &phone));
    uint64_t before = database_transactions(f->contract->database);
    assert_works(authenticate(f, &phone, "A", &err), err);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "active");
    assert_int_equal(device_count(f), 1);
}

static void a_certificate_stands_for_no_other_device(void **state)
{
    struct fixture *f = *state;
    struct phone a = phone_enrolled(f, 0, "A"), b = phone_enrolled(f, 1, "B");
    struct err err;
    assert_fails(authenticate(f, &a, "B", &err), err, ERR_FORBIDDEN);
    assert_fails(authenticate(f, &a, "C", &err), err, ERR_FORBIDDEN);
    assert_fails(authenticate(f, &a, "a", &err), err, ERR_FORBIDDEN); /* case counts */
    assert_int_equal(fixture_events(f, "enrolment.refused"), 3);
    assert_string_equal(phone_identity(f, &a).udid, "A");
    assert_string_equal(phone_identity(f, &b).udid, "B");
    assert_string_equal(fixture_enrolment_state(f, a.enrolment_id), "active");
    assert_string_equal(fixture_enrolment_state(f, b.enrolment_id), "active");
    assert_int_equal(device_count(f), 2);
}

static void a_bound_certificate_cannot_be_bound_again_before_activation(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    phone_authenticate(f, &phone);
    assert_fails(authenticate(f, &phone, "B", &err), err, ERR_FORBIDDEN);
    assert_int_equal(device_count(f), 1);
}

static void a_device_has_to_say_which_one_it_is(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    char *udid = mem_array(f->owner, char, 257);
    struct err err;
    memset(udid, 'x', 256);
    assert_fails(authenticate(f, &phone, udid, &err), err, ERR_BAD_INPUT);
    assert_fails(authenticate(f, &phone, "", &err), err, ERR_BAD_INPUT);
    assert_fails(authenticate(f, &phone, NULL, &err), err, ERR_BAD_INPUT);
    udid[255] = '\0';
    assert_works(authenticate(f, &phone, udid, &err), err);
}

static void a_revoked_certificate_enrols_nothing(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_certified(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct err err;
    assert_works(fleet_certificate_revoke(f->fleet, &admin, identity.certificate_id, 1, &err), err);
    assert_fails(authenticate(f, &phone, "A", &err), err, ERR_FORBIDDEN);
    assert_int_equal(device_count(f), 0);
}

/* Two enrolments of one device meet at the same time. */
struct runner {
    uint8_t sha256[32];
    int64_t now;
    bool worked;
    struct err err;
};

static void run_for_it(struct fleet *fleet, void *context)
{
    struct runner *runner = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct identity identity;
    struct device_claims claims = {.udid = "A", .platform = PLATFORM_IOS};
    if (!fleet_identify(fleet, owner, runner->sha256, &identity, &runner->err))
        return;
    struct actor actor = fleet_device_actor(&identity, "r", runner->now);
    runner->worked = fleet_authenticate(fleet, &actor, &identity, &claims, &runner->err);
}

static void one_device_is_never_made_twice(void **state)
{
    struct fixture *f = *state;
    struct runner runners[3] = {0};
    for (size_t i = 0; i < COUNT(runners); i++) {
        struct phone phone = phone_certified(f, i, "A");
        runners[i].now = f->now;
        memcpy(runners[i].sha256, phone.sha256, 32);
    }
    fixture_race(f, run_for_it, runners, sizeof(runners[0]), COUNT(runners));
    int worked = 0;
    for (size_t i = 0; i < COUNT(runners); i++) {
        worked += runners[i].worked;
        if (!runners[i].worked) /* the device asks again */
            assert_int_equal(runners[i].err.kind, ERR_CONFLICT);
    }
    assert_true(worked >= 1);
    assert_int_equal(device_count(f), 1);
}

/* ---- reachable ---- */

static void the_first_address_makes_active_once(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    phone_authenticate(f, &phone);
    assert_true(phone_activate(f, &phone));
    assert_false(phone_activate(f, &phone));
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "active");
    assert_int_equal(fixture_events(f, "device.enrolled"), 1);
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_QUERY_DEVICE);
}

static const char *unlock_token(struct fixture *f, const struct phone *phone)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENT, ARGS(TEXT(phone->enrolment_id)));
    struct bytes plain;
    struct err err;
    const struct value *sealed = rows_value(rows, 0, "unlock_token");
    if (sealed->type == VALUE_NULL)
        return NULL;
    assert_works(keyd_open(f->process->keyd, f->owner, KEYD_CLASS_COMMAND, phone->enrolment_id,
                           sealed->bytes, &plain, &err),
                 err);
    return bytes_to_text(f->owner, plain);
}

static void later_addresses_replace_it_and_keep_the_unlock_token(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct wake target;
    struct err err;
    phone_authenticate(f, &phone);
    assert_works(activate(f, &phone, "token 1", "unlock 1", &err), err);
    assert_works(activate(f, &phone, "token 2", NULL, &err), err);
    assert_string_equal(unlock_token(f, &phone), "unlock 1");
    assert_true(phone_wake(f, &phone, &target));
    assert_true(bytes_equal(target.token, bytes_text("token 2")));
    assert_true(bytes_equal(target.magic, bytes_text("magic")));
    assert_works(activate(f, &phone, "token 3", "unlock 2", &err), err);
    assert_string_equal(unlock_token(f, &phone), "unlock 2");
}

static void addresses_are_sealed_in_the_database(void **state)
{
    struct fixture *f = *state;
    static const char *const columns[] = {"push_token", "push_magic", "unlock_token"};
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    phone_authenticate(f, &phone);
    assert_works(activate(f, &phone, "TOKENTOKEN", "UNLOCKUNLOCK", &err), err);
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENT, ARGS(TEXT(phone.enrolment_id)));
    for (size_t i = 0; i < COUNT(columns); i++) {
        struct bytes sealed = rows_value(rows, 0, columns[i])->bytes;
        assert_true(sealed.size > 10);
        assert_null(memmem(sealed.data, sealed.size, "TOKENTOKEN", 10));
        assert_null(memmem(sealed.data, sealed.size, "UNLOCKUNLOCK", 12));
        assert_null(memmem(sealed.data, sealed.size, "magic", 5));
    }
}

static void a_dead_address_comes_alive_with_a_new_one(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_LOCK);
    assert_true(phone_push(f, &phone, WAKE_DEAD, f->now + 1));
    assert_false(phone_wake(f, &phone, NULL));
    f->now += 10;
    assert_false(phone_activate(f, &phone));
    /* the service is late: it speaks of the address before */
    assert_true(phone_push(f, &phone, WAKE_DEAD, f->now - 5));
    assert_true(phone_push(f, &phone, WAKE_DEAD, f->now + 5));
    assert_false(phone_wake(f, &phone, NULL));
}

static void an_address_without_first_contact_is_refused(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct err err;
    assert_fails(activate(f, &phone, "token", NULL, &err), err, ERR_FORBIDDEN);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "pending");
}

static void nothing_is_lost_while_keyd_is_away(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_certified(f, 0, "A");
    struct fleet alone = fixture_without_keyd(f);
    struct push_address address = {.token = bytes_text("t"), .magic = bytes_text("m")};
    struct err err;
    bool first;
    phone_authenticate(f, &phone);
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    assert_fails(fleet_activate(&alone, &actor, &identity, &address, &first, &err), err,
                 ERR_UNAVAILABLE);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "pending");
    assert_true(phone_activate(f, &phone));
}

/* ---- the same device again ---- */

/* proves-partly: 4g-12 */
static void a_new_enrolment_replaces_the_old_one_when_it_is_active(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct phone new = phone_certified(f, 1, "A");
    phone_authenticate(f, &new);
    assert_string_equal(new.device_id, old.device_id);
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "active");
    assert_true(phone_activate(f, &new));
    assert_string_equal(fixture_enrolment_state(f, old.enrolment_id), "superseded");
    assert_string_equal(fixture_enrolment_state(f, new.enrolment_id), "active");
    assert_int_equal(phone_identity(f, &old).enrolment_state, ENROLMENT_SUPERSEDED);
    assert_int_equal(phone_identity(f, &old).certificate_state, CERTIFICATE_REVOKED);
    assert_int_equal(phone_identity(f, &new).certificate_state, CERTIFICATE_ISSUED);
    struct rows *rows = fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(old.enrolment_id)));
    assert_string_equal(rows_text(rows, 0, "reason"), "superseded");
    assert_int_equal(device_count(f), 1);
}

static void the_queue_of_a_replaced_enrolment_is_never_delivered(void **state)
{
    struct fixture *f = *state;
    struct phone old = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &old, COMMAND_LOCK);
    struct phone new = phone_certified(f, 1, "A");
    phone_authenticate(f, &new);
    assert_true(phone_activate(f, &new));
    assert_null(phone_fetch(f, &old).id);
    assert_string_equal(fixture_command_state(f, lock.id), "cancelled");
    for (struct command c = phone_fetch(f, &new); c.id; c = phone_fetch(f, &new)) {
        assert_int_not_equal(c.kind, COMMAND_LOCK);
        assert_int_equal(phone_answer(f, &new, c.id, ANSWER_DONE), RESULT_TAKEN);
    }
}

static void what_was_delivered_before_is_delivered_to_a_new_enrolment_again(void **state)
{
    struct fixture *f = *state;
    struct policy policy = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    fixture_assign(f, policy.id, NULL);
    struct phone old = phone_enrolled(f, 0, "A");
    fixture_work(f);
    (void)phone_obey(f, &old);
    struct phone new = phone_enrolled(f, 1, "A");
    fixture_work(f);
    assert_int_equal(phone_fetch(f, &new).kind, COMMAND_INSTALL_ITEM);
}

/* ---- gone ---- */

static void check_out(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
}

/* proves-partly: 4g-12 */
static void a_check_out_ends_everything_and_keeps_the_history(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    size_t commands = fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count;
    phone_report(f, &phone, "os.version", "17.6", EVIDENCE_MEASURED);
    check_out(f, &phone);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "checked_out");
    assert_string_equal(fixture_command_state(f, lock.id), "cancelled");
    assert_int_equal(phone_identity(f, &phone).certificate_state, CERTIFICATE_REVOKED);
    assert_int_equal(fixture_events(f, "device.left"), 1);
    struct device device;
    struct list facts;
    assert_works(fleet_device_get(f->fleet, &admin, f->owner, phone.device_id, &device, &err), err);
    assert_string_equal(device.os_version, "17.6");
    assert_int_equal(device.enrolment_state, ENROLMENT_CHECKED_OUT);
    assert_works(fleet_fact_list(f->fleet, &admin, f->owner, phone.device_id, &facts, &err), err);
    assert_int_equal(facts.count, 4); /* with what it said when it enrolled */
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count,
                     commands);
    assert_int_equal(fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id)))->count,
                     1);
}

static void a_repeated_check_out_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    check_out(f, &phone);
    uint64_t before = database_transactions(f->contract->database);
    check_out(f, &phone);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_int_equal(fixture_events(f, "device.left"), 1);
}

static void a_device_that_left_may_come_back_with_a_new_link_only(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct err err;
    check_out(f, &phone);
    assert_fails(authenticate(f, &phone, "A", &err), err, ERR_FORBIDDEN);
    assert_fails(activate(f, &phone, "token", NULL, &err), err, ERR_FORBIDDEN);
    struct phone again = phone_enrolled(f, 1, "A");
    assert_string_equal(again.device_id, phone.device_id);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "checked_out");
}

FLEET_MAIN(FLEET_TEST(a_device_is_made_at_first_contact_and_bound_to_its_certificate),
           FLEET_TEST(a_device_without_a_name_is_called_by_what_it_is),
           FLEET_TEST(a_repeated_first_contact_changes_nothing),
           FLEET_TEST(a_certificate_stands_for_no_other_device),
           FLEET_TEST(a_bound_certificate_cannot_be_bound_again_before_activation),
           FLEET_TEST(a_device_has_to_say_which_one_it_is),
           FLEET_TEST(a_revoked_certificate_enrols_nothing),
           FLEET_TEST(one_device_is_never_made_twice),
           FLEET_TEST(the_first_address_makes_active_once),
           FLEET_TEST(later_addresses_replace_it_and_keep_the_unlock_token),
           FLEET_TEST(addresses_are_sealed_in_the_database),
           FLEET_TEST(a_dead_address_comes_alive_with_a_new_one),
           FLEET_TEST(an_address_without_first_contact_is_refused),
           FLEET_TEST(nothing_is_lost_while_keyd_is_away),
           FLEET_TEST(a_new_enrolment_replaces_the_old_one_when_it_is_active),
           FLEET_TEST(the_queue_of_a_replaced_enrolment_is_never_delivered),
           FLEET_TEST(what_was_delivered_before_is_delivered_to_a_new_enrolment_again),
           FLEET_TEST(a_check_out_ends_everything_and_keeps_the_history),
           FLEET_TEST(a_repeated_check_out_changes_nothing),
           FLEET_TEST(a_device_that_left_may_come_back_with_a_new_link_only))
