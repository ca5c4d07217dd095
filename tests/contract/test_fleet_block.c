/* SPDX-License-Identifier: Apache-2.0 */
/* A device shut out, and let in again. */
#include "fleet/block.h"
#include "fleet/certificate.h"
#include "fleet/link.h"
#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

#define HOLD 6 /* RFC 5280 5.3.1 */

static void block(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct err err;
    admin.reason = "reported as lost";
    assert_works(fleet_device_block(f->fleet, &admin, phone->device_id, &err), err);
}

static void unblock(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct err err;
    assert_works(fleet_device_unblock(f->fleet, &admin, phone->device_id, &err), err);
}

static const char *certificate_column(struct fixture *f, const struct phone *phone,
                                      const char *column)
{
    return rows_text(fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone->enrolment_id))), 0,
                     column);
}

static struct certificate_status status_of(struct fixture *f, const struct phone *phone)
{
    struct certificate_status status;
    struct err err;
    assert_works(
        fleet_certificate_status(f->fleet, certificate_column(f, phone, "serial"), &status, &err),
        err);
    return status;
}

/* How many certificates a new list names; read from what is told of it, and from its size. */
static int64_t listed(struct fixture *f)
{
    struct actor auditor = fixture_account(f, ROLE_AUDITOR);
    struct revocation_list before, after, about;
    struct err err;
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &before, &err), err);
    assert_works(fleet_revocation_list_make(f->fleet, f->now, &err), err);
    assert_works(fleet_revocation_list_get(f->fleet, f->owner, f->now, &after, &err), err);
    assert_true(after.number > before.number);
    assert_works(fleet_revocation_list_about(f->fleet, &auditor, f->owner, &about, &err), err);
    assert_int_equal(about.number, after.number);
    assert_int_equal(about.this_update, f->now);
    assert_true(about.entries < about.limit);
    assert_null(about.der.data);
    return about.entries;
}

static int64_t due(struct fixture *f, const char *kind)
{
    return (int64_t)fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT(kind)))->count;
}

/* proves-partly: 4g-12 */
static void a_blocked_device_is_held_in_one_step_and_keeps_its_queue(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    fixture_write(f, &SQL_CLEAR_JOBS, NULL, 0);
    block(f, &phone);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "blocked");
    assert_string_equal(certificate_column(f, &phone, "state"), "held");
    assert_true(status_of(f, &phone).is_revoked);
    assert_int_equal(status_of(f, &phone).reason, HOLD);
    assert_int_equal(status_of(f, &phone).revoked_at, f->now);
    assert_int_equal(due(f, "revocation_list"), 1);
    assert_string_equal(fixture_command_state(f, lock.id), "queued");
    assert_non_null(strstr(fixture_event(f, "device.blocked"), "reported as lost"));
    assert_int_equal(phone_identity(f, &phone).enrolment_state, ENROLMENT_BLOCKED);
}

/* proves-partly: 4g-12 */
static void unblocking_restores_what_was(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    assert_int_equal(listed(f), 0);
    block(f, &phone);
    assert_int_equal(listed(f), 1);
    fixture_write(f, &SQL_CLEAR_JOBS, NULL, 0);
    unblock(f, &phone);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "active");
    assert_string_equal(certificate_column(f, &phone, "state"), "issued");
    assert_null(certificate_column(f, &phone, "reason"));
    assert_false(status_of(f, &phone).is_revoked);
    assert_int_equal(listed(f), 0);
    assert_int_equal(due(f, "wake"), 1);
    assert_int_equal(due(f, "plan"), 1);
    assert_int_equal(phone_identity(f, &phone).certificate_state, CERTIFICATE_ISSUED);
    assert_int_equal(fixture_events(f, "device.unblocked"), 1);
}

static void only_what_holds_can_be_changed(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A"), new = phone_certified(f, 1, "B");
    struct err err;
    phone_authenticate(f, &new);
    assert_fails(fleet_device_block(f->fleet, &admin, new.device_id, &err), err, ERR_PRECONDITION);
    assert_fails(fleet_device_block(f->fleet, &admin, "nobody", &err), err, ERR_NOT_FOUND);
    assert_fails(fleet_device_unblock(f->fleet, &admin, phone.device_id, &err), err,
                 ERR_PRECONDITION);
    block(f, &phone);
    assert_fails(fleet_device_block(f->fleet, &admin, phone.device_id, &err), err,
                 ERR_PRECONDITION);
    assert_int_equal(fixture_events(f, "device.blocked"), 1);
}

static void a_blocked_device_is_asked_nothing_but_to_go(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command command;
    struct err err;
    (void)phone_activate(f, &phone);
    block(f, &phone);
    assert_fails(phone_order_try(f, &phone, COMMAND_LOCK, NULL, &command, &err), err,
                 ERR_PRECONDITION);
    assert_fails(phone_order_try(f, &phone, COMMAND_SYNC, NULL, &command, &err), err,
                 ERR_PRECONDITION);
    assert_false(phone_wake(f, &phone, NULL));
    (void)phone_order(f, &phone, COMMAND_RETIRE);
    assert_string_equal(certificate_column(f, &phone, "state"), "revoked");
    assert_string_equal(certificate_column(f, &phone, "reason"), "cessation_of_operation");
    assert_fails(fleet_device_unblock(f->fleet, &admin, phone.device_id, &err), err,
                 ERR_PRECONDITION);
}

/* What a device says once only is kept; leaving by itself does not end the block. */
static void a_blocked_device_is_heard_but_not_let_out(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    block(f, &phone);
    assert_false(phone_activate(f, &phone));
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "blocked");
    struct identity identity = phone_identity(f, &phone);
    struct actor device = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &device, &identity, &err), err);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "blocked");
    assert_int_equal(fixture_events(f, "device.left_while_blocked"), 1);
}

static void no_link_lets_a_blocked_device_in(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct phone again = phone_certified(f, 1, "A"); /* by a link for it, before the block */
    struct enrolment_link link, wish = {.device_id = mem_text(f->owner, phone.device_id)};
    char *token;
    struct err err;
    block(f, &phone);
    assert_fails(fleet_link_create(f->fleet, &admin, f->owner, &wish, &link, &token, &err), err,
                 ERR_PRECONDITION);
    struct identity identity = phone_identity(f, &again);
    struct actor device = fleet_device_actor(&identity, "r", f->now);
    struct device_claims claims = phone_claims(&again);
    assert_fails(fleet_authenticate(f->fleet, &device, &identity, &claims, &err), err,
                 ERR_FORBIDDEN);
    assert_string_equal(fixture_enrolment_state(f, phone.enrolment_id), "blocked");
}

FLEET_MAIN(FLEET_TEST(a_blocked_device_is_held_in_one_step_and_keeps_its_queue),
           FLEET_TEST(unblocking_restores_what_was), FLEET_TEST(only_what_holds_can_be_changed),
           FLEET_TEST(a_blocked_device_is_asked_nothing_but_to_go),
           FLEET_TEST(a_blocked_device_is_heard_but_not_let_out),
           FLEET_TEST(no_link_lets_a_blocked_device_in))
