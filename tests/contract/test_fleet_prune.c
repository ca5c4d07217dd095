/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping: what goes, what stays because something needs it, and how it goes. */
#include "base/text.h"
#include "fleet/account.h"
#include "fleet/audit.h"
#include "fleet/certificate.h"
#include "fleet/job.h"
#include "fleet/upkeep.h"
#include "tests/contract/fleet_gear.h"
#include "tests/contract/pruning.h"

#define PASSWORD "correct horse battery"

/* ---- time ---- */

static void nothing_goes_before_its_time(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    (void)phone_enrolled(f, 0, "A");
    (void)fixture_start(f);
    fixture_work(f);
    pruning_number(f);
    f->now += f->settings.link_seconds + 30 * DAY;
    assert_int_equal(pruning_run_all(f), 0);
}

static void zero_keeps_for_ever(void **state)
{
    struct fixture *f = *state;
    (void)phone_enrolled(f, 0, "A");
    (void)fixture_start(f);
    pruning_number(f);
    f->now += 36500LL * DAY;
    assert_int_equal(pruning_run_all(f), 0);
}

static void the_audit_stays_whole(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    const struct audit_range whole = {.most = AUDIT_WALK_MOST};
    struct audit_verdict verdict;
    struct err err;
    pruning_keep(f);
    (void)phone_enrolled(f, 0, "A");
    (void)fixture_start(f);
    pruning_number(f);
    assert_works(fleet_audit_sign(f->fleet, f->now, &err), err);
    size_t before = pruning_count(f, &SQL_LOOK_AUDIT_ALL);
    f->now += 3650LL * DAY;
    assert_true(pruning_run_all(f) > 0);
    assert_int_equal(pruning_count(f, &SQL_LOOK_AUDIT_ALL), before);
    assert_works(fleet_audit_verify(f->fleet, &admin, f->owner, &whole, &verdict, &err), err);
    assert_true(verdict.is_intact);
}

/* ---- events ---- */

static void old_events_go_and_positions_go_on(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    (void)phone_enrolled(f, 0, "A"); /* its events have no position yet */
    size_t waiting = pruning_count(f, &SQL_LOOK_EVENTS);
    fixture_write(f, &SQL_MAKE_EVENTS, ARGS(INTEGER(1), INTEGER(7), INTEGER(f->now)));
    f->now += 90 * DAY;
    assert_int_equal(pruning_run(f, "events"), 0);
    f->now += 1;
    assert_int_equal(pruning_run(f, "events"),
                     6); /* the newest position is what the next counts from */
    assert_int_equal(pruning_count(f, &SQL_LOOK_EVENTS), waiting + 1);
    pruning_number(f);
    assert_int_equal(pruning_run(f, "events"), waiting);
    struct rows *rows = fixture_look(f, &SQL_LOOK_EVENTS, NO_ARGS);
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "position"), 7 + waiting);
}

static void batches_are_bounded(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    fixture_write(f, &SQL_MAKE_EVENTS,
                  ARGS(INTEGER(1), INTEGER(2 * PRUNE_BATCH + 51), INTEGER(f->now)));
    f->now += 91 * DAY;
    uint64_t before = database_transactions(f->contract->database);
    assert_int_equal(pruning_run(f, "events"), 2 * PRUNE_BATCH + 50);
    assert_int_equal(database_transactions(f->contract->database) - before, 3);
    assert_int_equal(pruning_run(f, "events"), 0);
    /* nothing to do writes nothing */
    assert_int_equal(database_transactions(f->contract->database) - before, 3);
}

static void a_stop_ends_it_between_batches(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    fixture_write(f, &SQL_MAKE_EVENTS, ARGS(INTEGER(1), INTEGER(50), INTEGER(f->now)));
    f->now += 91 * DAY;
    fleet_job_stop(f->shared);
    assert_int_equal(pruning_run_all(f), 0);
    assert_int_equal(pruning_count(f, &SQL_LOOK_EVENTS), 50);
}

/* ---- enrolments that were never completed, and links ---- */

static size_t steps_of(struct fixture *f, const struct enrolment_start *start)
{
    return fixture_look(f, &SQL_LOOK_STEPS, ARGS(TEXT(start->enrolment_id)))->count;
}

static void an_attempt_goes_with_all_that_is_its_own(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    asked.attribute_count = 1;
    assert_true(fixture_issue(f, &asked).is_refused);
    f->now += f->settings.link_seconds + 30 * DAY;
    assert_int_equal(pruning_run(f, "enrolments"), 0);
    f->now += 1;
    assert_int_equal(pruning_run(f, "enrolments"), 1);
    assert_int_equal(steps_of(f, &start), 0);
    assert_int_equal(fixture_look(f, &SQL_LOOK_CHALLENGES, ARGS(TEXT(start.enrolment_id)))->count,
                     0);
    assert_int_equal(pruning_count(f, &SQL_LOOK_ENROLMENTS), 0);
    assert_int_equal(pruning_run(f, "links"), 1);
    assert_int_equal(pruning_count(f, &SQL_LOOK_LINKS), 0);
}

static void a_certificate_that_holds_keeps_its_attempt(void **state)
{
    struct fixture *f = *state;
    struct certificate_status status;
    struct err err;
    pruning_keep(f);
    struct phone phone = phone_certified(f, 0, "A");
    const char *serial = rows_text(
        fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id))), 0, "serial");
    f->now += f->settings.certificate_seconds;
    assert_int_equal(pruning_run(f, "enrolments") + pruning_run(f, "links"), 0);
    assert_works(fleet_certificate_status(f->fleet, serial, &status, &err), err);
    assert_true(status.is_known);
    f->now += 30 * DAY + 1;
    assert_int_equal(pruning_run(f, "enrolments"), 1);
    assert_int_equal(pruning_run(f, "links"), 1);
}

static void a_device_keeps_its_newest_attempt(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone first = phone_certified(f, 0, "A");
    phone_authenticate(f, &first);
    f->now += 1;
    struct phone second = phone_certified(f, 1, "A");
    phone_authenticate(f, &second);
    f->now += 800LL * DAY;
    assert_int_equal(pruning_run(f, "enrolments"), 1);
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENTS, NO_ARGS);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "id"), second.enrolment_id);
}

static void an_enrolment_that_was_completed_stays_with_its_trace(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    size_t steps = steps_of(f, &phone.start);
    f->now += 3650LL * DAY;
    assert_int_equal(pruning_run(f, "enrolments") + pruning_run(f, "links"), 0);
    assert_int_equal(steps_of(f, &phone.start), steps);
}

static void links_that_nobody_used_go(void **state)
{
    struct fixture *f = *state;
    pruning_keep(f);
    (void)fixture_link(f);
    f->now += f->settings.link_seconds + 30 * DAY;
    assert_int_equal(pruning_run(f, "links"), 0);
    f->now += 1;
    assert_int_equal(pruning_run(f, "links"), 1);
}

/* A certificate keeps what was asked for it; what led to none goes, with its trace. */
static void requests_of_gear_without_a_certificate_go(void **state)
{
    struct fixture *f = *state;
    const struct network_challenge used = gear_challenge(f, false),
                                   refused = gear_challenge(f, false);
    const struct certificate_asked asked = gear_asked(f, &used, 0);
    struct certificate_asked other = gear_asked(f, &refused, 1);
    struct err err;
    size_t count = 0;
    pruning_keep(f);
    assert_false(fixture_issue(f, &asked).is_refused);
    other.objection = "its key is too short";
    assert_true(fixture_issue(f, &other).is_refused);
    f->now += DAY + 1; /* the challenge's life */
    assert_int_equal(pruning_run(f, "requests"), 0);
    assert_works(fleet_requests_expire(f->fleet, f->now, 10, &count, &err), err);
    assert_int_equal(count, 1);
    f->now += 30 * DAY - 1;
    assert_int_equal(pruning_run(f, "requests"), 0);
    f->now += 1;
    assert_int_equal(pruning_run(f, "requests"), 1);
    assert_int_equal(pruning_run(f, "requests"), 0);
    assert_int_equal(pruning_count(f, &SQL_LOOK_REQUESTS), 1);
}

/* ---- when it is interrupted ---- */

/* What fails in the middle leaves everything as it was; the rest goes nevertheless. */
static void an_interrupted_batch_leaves_its_attempts_whole(void **state)
{
    struct fixture *f = *state;
    struct err err;
    int64_t count = 0;
    pruning_keep(f);
    struct enrolment_start start = fixture_start(f);
    size_t steps = steps_of(f, &start);
    for (int i = 0; i < PRUNE_BATCH; i++) {
        f->now += 1;
        (void)fixture_start(f);
    }
    fixture_write(f, &SQL_TRAP_MAKE, NO_ARGS);
    fixture_write(f, &SQL_TRAP_SET, ARGS(TEXT(start.enrolment_id)));
    f->now += f->settings.link_seconds + 31 * DAY;
    assert_fails(pruning_try(f, "enrolments", &count, &err), err, ERR_CONFLICT);
    assert_int_equal(count, 1); /* of the second batch */
    assert_int_equal(pruning_count(f, &SQL_LOOK_ENROLMENTS), PRUNE_BATCH);
    assert_int_equal(steps_of(f, &start), steps);
    assert_string_equal(fixture_enrolment_state(f, start.enrolment_id), "pending");
    fixture_write(f, &SQL_TRAP_CLEAR, NO_ARGS);
    assert_int_equal(pruning_run(f, "enrolments"), PRUNE_BATCH);
    fixture_write(f, &SQL_TRAP_END, NO_ARGS);
}

/* ---- sessions and tokens ---- */

static void ended_sessions_and_tokens_go(void **state)
{
    struct fixture *f = *state;
    struct actor system = fleet_system_actor(f->now), someone = fixture_public(f), anna;
    struct sign_in sign_in = {.name = "anna", .new_password = PASSWORD, .peer = "192.0.2.7"};
    struct session session, lasting, revoked;
    char *password;
    struct err err;
    pruning_keep(f);
    assert_works(fleet_account_reset(f->fleet, &system, f->owner, "anna", NULL, &password, &err),
                 err);
    sign_in.password = password;
    assert_works(fleet_sign_in(f->fleet, &someone, f->owner, &sign_in, &session, &err), err);
    assert_works(fleet_token_actor(f->fleet, f->owner, session.secret, f->now, &anna, &err), err);
    const struct token wish = {.name = mem_text(f->owner, "script"), .role = ROLE_AUDITOR};
    assert_works(fleet_token_create(f->fleet, &anna, f->owner, &wish, &lasting, &err), err);
    assert_works(fleet_token_create(f->fleet, &anna, f->owner, &wish, &revoked, &err), err);
    assert_works(fleet_token_revoke(f->fleet, &anna, revoked.token.id, &err), err);
    f->now += 30 * DAY;
    assert_int_equal(pruning_run(f, "tokens"), 0);
    f->now += 1;
    assert_int_equal(pruning_run(f, "tokens"), 1); /* the revoked one: the session ended later */
    f->now += f->settings.session_seconds;
    assert_int_equal(pruning_run(f, "tokens"), 1);
    f->now += 3650LL * DAY;
    assert_int_equal(pruning_run(f, "tokens"), 0);
    assert_works(fleet_token_actor(f->fleet, f->owner, lasting.secret, f->now, &anna, &err), err);
}

/* ---- variants ---- */

static void variants_without_a_device_go_after_a_day(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct policy pin = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    (void)fixture_assign(f, pin.id, NULL);
    fixture_work(f);
    fixture_policy_change(f, pin.id, "{\"password.min_length\":9}");
    fixture_work(f);
    assert_int_equal(pruning_count(f, &SQL_LOOK_VARIANTS), 3);
    f->now += DAY;
    assert_int_equal(pruning_run(f, "variants"), 0);
    f->now += 1;
    assert_int_equal(pruning_run(f, "variants"), 2);
    assert_int_equal(pruning_count(f, &SQL_LOOK_VARIANTS), 1);
    assert_string_equal(fixture_value(f, phone.device_id, "password.min_length"), "9");
}

static void a_variant_that_is_chosen_again_is_young_again(void **state)
{
    struct fixture *f = *state;
    (void)phone_enrolled(f, 0, "A");
    struct policy pin = fixture_policy(f, "PIN", "configuration", "{\"password.min_length\":8}");
    struct assignment assignment = fixture_assign(f, pin.id, NULL);
    struct actor admin = fixture_admin(f);
    struct err err;
    fixture_work(f);
    f->now += 2 * DAY;
    assert_works(fleet_assignment_delete(f->fleet, &admin, pin.id, assignment.id, &err), err);
    fixture_work(f); /* the empty one again */
    assignment = fixture_assign(f, pin.id, NULL);
    fixture_work(f); /* and the other one */
    assert_int_equal(pruning_run(f, "variants"), 0);
    assert_int_equal(pruning_count(f, &SQL_LOOK_VARIANTS), 2);
    f->now += DAY + 1;
    assert_int_equal(pruning_run(f, "variants"), 1);
}

FLEET_MAIN(FLEET_TEST(nothing_goes_before_its_time), FLEET_TEST(zero_keeps_for_ever),
           FLEET_TEST(the_audit_stays_whole), FLEET_TEST(old_events_go_and_positions_go_on),
           FLEET_TEST(batches_are_bounded), FLEET_TEST(a_stop_ends_it_between_batches),
           FLEET_TEST(an_attempt_goes_with_all_that_is_its_own),
           FLEET_TEST(a_certificate_that_holds_keeps_its_attempt),
           FLEET_TEST(a_device_keeps_its_newest_attempt),
           FLEET_TEST(an_enrolment_that_was_completed_stays_with_its_trace),
           FLEET_TEST(links_that_nobody_used_go),
           FLEET_TEST(requests_of_gear_without_a_certificate_go),
           FLEET_TEST(an_interrupted_batch_leaves_its_attempts_whole),
           FLEET_TEST(ended_sessions_and_tokens_go),
           FLEET_TEST(variants_without_a_device_go_after_a_day),
           FLEET_TEST(a_variant_that_is_chosen_again_is_young_again))
