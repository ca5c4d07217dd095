/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping: what goes, what stays because something needs it, and how it goes. */
#include "base/text.h"
#include "fleet/account.h"
#include "fleet/audit.h"
#include "fleet/certificate.h"
#include "fleet/job.h"
#include "fleet/upkeep.h"
#include "tests/contract/fleet_fixture.h"

#define DAY (24 * 3600)
#define PASSWORD "correct horse battery"

static void keep(struct fixture *f)
{
    f->settings.retention = (struct retention){.event_seconds = 90 * DAY,
                                               .command_seconds = 90 * DAY,
                                               .attempt_seconds = 30 * DAY,
                                               .token_seconds = 30 * DAY};
}

static bool prune_one(struct fixture *f, const char *what, int64_t *count, struct err *err)
{
    for (size_t i = 0; i < fleet_prune_rules(); i++) {
        struct pruned pruned;
        bool worked = fleet_prune(f->fleet, i, f->now, &pruned, err);
        if (strcmp(pruned.what, what) == 0) {
            *count = pruned.count;
            return worked;
        }
    }
    fail_msg("no rule for %s", what);
    return false;
}

static int64_t prune(struct fixture *f, const char *what)
{
    struct err err;
    int64_t count = 0;
    assert_works(prune_one(f, what, &count, &err), err);
    return count;
}

static int64_t prune_all(struct fixture *f)
{
    int64_t count = 0;
    for (size_t i = 0; i < fleet_prune_rules(); i++) {
        struct pruned pruned;
        struct err err;
        assert_works(fleet_prune(f->fleet, i, f->now, &pruned, &err), err);
        count += pruned.count;
    }
    return count;
}

static void number(struct fixture *f)
{
    struct err err;
    for (bool more = true; more;)
        assert_works(fleet_number(f->fleet, f->now, &more, &err), err);
}

static size_t count_of(struct fixture *f, const struct statement *statement)
{
    return fixture_look(f, statement, NO_ARGS)->count;
}

/* ---- time ---- */

static void nothing_goes_before_its_time(void **state)
{
    struct fixture *f = *state;
    keep(f);
    (void)phone_enrolled(f, 0, "A");
    (void)fixture_start(f);
    fixture_work(f);
    number(f);
    f->now += f->settings.link_seconds + 30 * DAY;
    assert_int_equal(prune_all(f), 0);
}

static void zero_keeps_for_ever(void **state)
{
    struct fixture *f = *state;
    (void)phone_enrolled(f, 0, "A");
    (void)fixture_start(f);
    number(f);
    f->now += 36500LL * DAY;
    assert_int_equal(prune_all(f), 0);
}

static void the_audit_stays_whole(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct audit_verdict verdict;
    struct err err;
    keep(f);
    (void)phone_enrolled(f, 0, "A");
    (void)fixture_start(f);
    number(f);
    assert_works(fleet_audit_sign(f->fleet, f->now, &err), err);
    size_t before = count_of(f, &SQL_LOOK_AUDIT_ALL);
    f->now += 3650LL * DAY;
    assert_true(prune_all(f) > 0);
    assert_int_equal(count_of(f, &SQL_LOOK_AUDIT_ALL), before);
    assert_works(fleet_audit_verify(f->fleet, &admin, f->owner, &verdict, &err), err);
    assert_true(verdict.is_intact);
}

/* ---- events ---- */

static void old_events_go_and_positions_go_on(void **state)
{
    struct fixture *f = *state;
    keep(f);
    (void)phone_enrolled(f, 0, "A"); /* its events have no position yet */
    size_t waiting = count_of(f, &SQL_LOOK_EVENTS);
    fixture_write(f, &SQL_MAKE_EVENTS, ARGS(INTEGER(1), INTEGER(7), INTEGER(f->now)));
    f->now += 90 * DAY;
    assert_int_equal(prune(f, "events"), 0);
    f->now += 1;
    assert_int_equal(prune(f, "events"), 6); /* the newest position is what the next counts from */
    assert_int_equal(count_of(f, &SQL_LOOK_EVENTS), waiting + 1);
    number(f);
    assert_int_equal(prune(f, "events"), waiting);
    struct rows *rows = fixture_look(f, &SQL_LOOK_EVENTS, NO_ARGS);
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows_integer(rows, 0, "position"), 7 + waiting);
}

static void batches_are_bounded(void **state)
{
    struct fixture *f = *state;
    keep(f);
    fixture_write(f, &SQL_MAKE_EVENTS,
                  ARGS(INTEGER(1), INTEGER(2 * PRUNE_BATCH + 51), INTEGER(f->now)));
    f->now += 91 * DAY;
    uint64_t before = database_transactions(f->contract->database);
    assert_int_equal(prune(f, "events"), 2 * PRUNE_BATCH + 50);
    assert_int_equal(database_transactions(f->contract->database) - before, 3);
    assert_int_equal(prune(f, "events"), 0);
    /* nothing to do writes nothing */
    assert_int_equal(database_transactions(f->contract->database) - before, 3);
}

static void a_stop_ends_it_between_batches(void **state)
{
    struct fixture *f = *state;
    keep(f);
    fixture_write(f, &SQL_MAKE_EVENTS, ARGS(INTEGER(1), INTEGER(50), INTEGER(f->now)));
    f->now += 91 * DAY;
    fleet_job_stop(f->shared);
    assert_int_equal(prune_all(f), 0);
    assert_int_equal(count_of(f, &SQL_LOOK_EVENTS), 50);
}

/* ---- commands ---- */

static void lock(struct fixture *f, const struct phone *phone)
{
    struct actor admin = fixture_admin(f);
    struct command command;
    struct err err;
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, phone->device_id, COMMAND_LOCK,
                                      NULL, &command, &err),
                 err);
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
    keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    for (int i = 0; i < 3; i++) {
        lock(f, &phone);
        f->now += 1;
    }
    int64_t queries = commands_of(f, &phone, "query_device");
    f->now += 91 * DAY;
    assert_int_equal(prune(f, "commands"), 2);
    assert_int_equal(commands_of(f, &phone, "lock"), 1);
    assert_int_equal(commands_of(f, &phone, "query_device"), queries);
    lock(f, &phone); /* an open one, or a young one, takes the place of an old one */
    assert_int_equal(prune(f, "commands"), 1);
    assert_int_equal(commands_of(f, &phone, "lock"), 1);
}

/* Whatever ends a command, the one before it is needed no longer. */
static void what_expired_takes_a_place_too(void **state)
{
    struct fixture *f = *state;
    keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    struct command command;
    struct err err;
    for (int i = 0; i < 3; i++) {
        assert_works(fleet_command_create(f->fleet, &admin, f->owner, phone.device_id,
                                          COMMAND_RESTART, NULL, &command, &err),
                     err);
        f->now += 400LL * DAY;
        admin.now = f->now;
        assert_works(fleet_commands_expire(f->fleet, f->now, &err), err);
        assert_string_equal(fixture_command_state(f, command.id), "expired");
    }
    assert_int_equal(prune(f, "commands"), 2);
    assert_int_equal(commands_of(f, &phone, "restart"), 1);
}

static void an_open_command_is_not_old(void **state)
{
    struct fixture *f = *state;
    keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    struct command command;
    struct err err;
    lock(f, &phone);
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, phone.device_id, COMMAND_LOCK,
                                      NULL, &command, &err),
                 err);
    f->now += 400LL * DAY;
    assert_int_equal(prune(f, "commands"), 0);
    assert_int_equal(commands_of(f, &phone, "lock"), 2);
}

/* The device has the item: taking the policy away must still take the item away. */
static void what_brought_an_item_stays_while_the_device_has_it(void **state)
{
    struct fixture *f = *state;
    keep(f);
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
    (void)prune(f, "commands");
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
    keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    f->now += 90 * DAY;
    assert_int_equal(prune(f, "commands"), 0);
    f->now += 1;
    assert_true(prune(f, "commands") > 0);
    assert_int_equal(fixture_look(f, &SQL_LOOK_COMMANDS, ARGS(TEXT(phone.enrolment_id)))->count, 0);
}

static void a_device_that_was_told_to_leave_keeps_its_order(void **state)
{
    struct fixture *f = *state;
    keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    struct actor admin = fixture_admin(f);
    struct command command;
    struct certificate_status before, after;
    struct err err;
    assert_works(fleet_command_create(f->fleet, &admin, f->owner, phone.device_id, COMMAND_RETIRE,
                                      NULL, &command, &err),
                 err);
    command = phone_fetch(f, &phone);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    const char *serial = rows_text(
        fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id))), 0, "serial");
    assert_works(fleet_certificate_status(f->fleet, serial, &before, &err), err);
    f->now += 400LL * DAY;
    (void)prune(f, "commands");
    assert_works(fleet_certificate_status(f->fleet, serial, &after, &err), err);
    assert_true(after.is_revoked);
    assert_int_equal(after.revoked_at, before.revoked_at);
}

/* ---- enrolments that were never completed, and links ---- */

static size_t steps_of(struct fixture *f, const struct enrolment_start *start)
{
    return fixture_look(f, &SQL_LOOK_STEPS, ARGS(TEXT(start->enrolment_id)))->count;
}

static void an_attempt_goes_with_all_that_is_its_own(void **state)
{
    struct fixture *f = *state;
    keep(f);
    struct enrolment_start start = fixture_start(f);
    struct certificate_asked asked = fixture_asked(f, &start, 0);
    asked.attribute_count = 1;
    assert_true(fixture_issue(f, &asked).is_refused);
    f->now += f->settings.link_seconds + 30 * DAY;
    assert_int_equal(prune(f, "enrolments"), 0);
    f->now += 1;
    assert_int_equal(prune(f, "enrolments"), 1);
    assert_int_equal(steps_of(f, &start), 0);
    assert_int_equal(fixture_look(f, &SQL_LOOK_CHALLENGES, ARGS(TEXT(start.enrolment_id)))->count,
                     0);
    assert_int_equal(count_of(f, &SQL_LOOK_ENROLMENTS), 0);
    assert_int_equal(prune(f, "links"), 1);
    assert_int_equal(count_of(f, &SQL_LOOK_LINKS), 0);
}

static void a_certificate_that_holds_keeps_its_attempt(void **state)
{
    struct fixture *f = *state;
    struct certificate_status status;
    struct err err;
    keep(f);
    struct phone phone = phone_certified(f, 0, "A");
    const char *serial = rows_text(
        fixture_look(f, &SQL_LOOK_CERTIFICATES, ARGS(TEXT(phone.enrolment_id))), 0, "serial");
    f->now += f->settings.certificate_seconds;
    assert_int_equal(prune(f, "enrolments") + prune(f, "links"), 0);
    assert_works(fleet_certificate_status(f->fleet, serial, &status, &err), err);
    assert_true(status.is_known);
    f->now += 30 * DAY + 1;
    assert_int_equal(prune(f, "enrolments"), 1);
    assert_int_equal(prune(f, "links"), 1);
}

static void a_device_keeps_its_newest_attempt(void **state)
{
    struct fixture *f = *state;
    keep(f);
    struct phone first = phone_certified(f, 0, "A");
    phone_authenticate(f, &first);
    f->now += 1;
    struct phone second = phone_certified(f, 1, "A");
    phone_authenticate(f, &second);
    f->now += 800LL * DAY;
    assert_int_equal(prune(f, "enrolments"), 1);
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENTS, NO_ARGS);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "id"), second.enrolment_id);
}

static void an_enrolment_that_was_completed_stays_with_its_trace(void **state)
{
    struct fixture *f = *state;
    keep(f);
    struct phone phone = phone_enrolled(f, 0, "A");
    size_t steps = steps_of(f, &phone.start);
    f->now += 3650LL * DAY;
    assert_int_equal(prune(f, "enrolments") + prune(f, "links"), 0);
    assert_int_equal(steps_of(f, &phone.start), steps);
}

static void links_that_nobody_used_go(void **state)
{
    struct fixture *f = *state;
    keep(f);
    (void)fixture_link(f);
    f->now += f->settings.link_seconds + 30 * DAY;
    assert_int_equal(prune(f, "links"), 0);
    f->now += 1;
    assert_int_equal(prune(f, "links"), 1);
}

/* ---- when it is interrupted ---- */

/* What fails in the middle leaves everything as it was; the rest goes nevertheless. */
static void an_interrupted_batch_leaves_its_attempts_whole(void **state)
{
    struct fixture *f = *state;
    struct err err;
    int64_t count = 0;
    keep(f);
    struct enrolment_start start = fixture_start(f);
    size_t steps = steps_of(f, &start);
    for (int i = 0; i < PRUNE_BATCH; i++) {
        f->now += 1;
        (void)fixture_start(f);
    }
    fixture_write(f, &SQL_TRAP_MAKE, NO_ARGS);
    fixture_write(f, &SQL_TRAP_SET, ARGS(TEXT(start.enrolment_id)));
    f->now += f->settings.link_seconds + 31 * DAY;
    assert_fails(prune_one(f, "enrolments", &count, &err), err, ERR_CONFLICT);
    assert_int_equal(count, 1); /* of the second batch */
    assert_int_equal(count_of(f, &SQL_LOOK_ENROLMENTS), PRUNE_BATCH);
    assert_int_equal(steps_of(f, &start), steps);
    assert_string_equal(fixture_enrolment_state(f, start.enrolment_id), "pending");
    fixture_write(f, &SQL_TRAP_CLEAR, NO_ARGS);
    assert_int_equal(prune(f, "enrolments"), PRUNE_BATCH);
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
    keep(f);
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
    assert_int_equal(prune(f, "tokens"), 0);
    f->now += 1;
    assert_int_equal(prune(f, "tokens"), 1); /* the revoked one: the session ended later */
    f->now += f->settings.session_seconds;
    assert_int_equal(prune(f, "tokens"), 1);
    f->now += 3650LL * DAY;
    assert_int_equal(prune(f, "tokens"), 0);
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
    assert_int_equal(count_of(f, &SQL_LOOK_VARIANTS), 3);
    f->now += DAY;
    assert_int_equal(prune(f, "variants"), 0);
    f->now += 1;
    assert_int_equal(prune(f, "variants"), 2);
    assert_int_equal(count_of(f, &SQL_LOOK_VARIANTS), 1);
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
    assert_int_equal(prune(f, "variants"), 0);
    assert_int_equal(count_of(f, &SQL_LOOK_VARIANTS), 2);
    f->now += DAY + 1;
    assert_int_equal(prune(f, "variants"), 1);
}

FLEET_MAIN(FLEET_TEST(nothing_goes_before_its_time), FLEET_TEST(zero_keeps_for_ever),
           FLEET_TEST(the_audit_stays_whole), FLEET_TEST(old_events_go_and_positions_go_on),
           FLEET_TEST(batches_are_bounded), FLEET_TEST(a_stop_ends_it_between_batches),
           FLEET_TEST(of_a_managed_device_the_last_of_each_kind_stays),
           FLEET_TEST(an_open_command_is_not_old), FLEET_TEST(what_expired_takes_a_place_too),
           FLEET_TEST(what_brought_an_item_stays_while_the_device_has_it),
           FLEET_TEST(of_a_device_that_left_all_go),
           FLEET_TEST(a_device_that_was_told_to_leave_keeps_its_order),
           FLEET_TEST(an_attempt_goes_with_all_that_is_its_own),
           FLEET_TEST(a_certificate_that_holds_keeps_its_attempt),
           FLEET_TEST(a_device_keeps_its_newest_attempt),
           FLEET_TEST(an_enrolment_that_was_completed_stays_with_its_trace),
           FLEET_TEST(links_that_nobody_used_go),
           FLEET_TEST(an_interrupted_batch_leaves_its_attempts_whole),
           FLEET_TEST(ended_sessions_and_tokens_go),
           FLEET_TEST(variants_without_a_device_go_after_a_day),
           FLEET_TEST(a_variant_that_is_chosen_again_is_young_again))
