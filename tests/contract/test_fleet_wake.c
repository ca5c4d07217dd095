/* SPDX-License-Identifier: Apache-2.0 */
/* Waking devices: what is due, what an answer does to it, silent devices, the certificate's end. */
#include "fleet/block.h"
#include "fleet/job.h"
#include "fleet/push.h"
#include "tests/contract/fleet_fixture.h"

#define DAY INT64_C(86400)
#define HOUR INT64_C(3600)
#define TOPIC "com.apple.mgmt.External.real"

static struct fixture *with_certificate(void **state, int64_t days)
{
    struct fixture *f = *state;
    struct err err;
    assert_works(fixture_push_import(f, TOPIC, days, &err), err);
    return f;
}

/* An enrolled phone for which a command waits, and no other work. */
static struct phone phone_waited_for(struct fixture *f, size_t key, const char *udid)
{
    struct phone phone = phone_enrolled(f, key, udid);
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    (void)phone_order(f, &phone, COMMAND_LOCK);
    return phone;
}

static struct rows *job_of(struct fixture *f)
{
    return fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("wake")));
}

static struct wake claim_one(struct fixture *f)
{
    size_t count = 0;
    struct wake *wakes = fixture_claim(f, WAKE_CLAIM_MOST, &count);
    assert_int_equal(count, 1);
    return wakes[0];
}

static size_t claimable(struct fixture *f)
{
    size_t count = 0;
    (void)fixture_claim(f, WAKE_CLAIM_MOST, &count);
    return count;
}

/* ---- due work ---- */

static void many_commands_make_one_push(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_waited_for(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_SYNC);
    struct wake wake = claim_one(f);
    assert_string_equal(wake.enrolment_id, phone.enrolment_id);
    assert_true(bytes_equal(wake.token, bytes_text("token")));
    assert_true(bytes_equal(wake.magic, bytes_text("magic")));
    assert_true(wake.is_waited_for);
    assert_int_equal(claimable(f), 0);
}

static void a_claim_takes_no_more_than_it_may(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;
    (void)phone_waited_for(f, 0, "A");
    struct phone other = phone_enrolled(f, 1, "B");
    (void)phone_order(f, &other, COMMAND_LOCK);
    (void)fixture_claim(f, 1, &count);
    assert_int_equal(count, 1);
    assert_int_equal(claimable(f), 1);
}

static void what_was_fetched_meanwhile_is_not_pushed_for(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_waited_for(f, 0, "A");
    (void)phone_obey(f, &phone);
    assert_int_equal(claimable(f), 0);
    assert_int_equal(job_of(f)->count, 0);
}

static void a_push_that_was_under_way_at_a_restart_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct err err;
    (void)phone_waited_for(f, 0, "A");
    (void)claim_one(f);
    assert_int_equal(claimable(f), 0);
    assert_works(fleet_jobs_release(f->fleet, &err), err); /* what a start does */
    (void)claim_one(f);
}

static void the_key_process_being_away_loses_no_push(void **state)
{
    struct fixture *f = *state;
    struct fleet lame = fixture_without_keyd(f);
    struct wake *wakes = NULL;
    size_t count = 0;
    struct err err;
    (void)phone_waited_for(f, 0, "A");
    assert_fails(fleet_wake_claim(&lame, f->owner, "apple", f->now, 10, &wakes, &count, &err), err,
                 ERR_UNAVAILABLE);
    f->now += JOB_LEASE_SECONDS + 1;
    (void)claim_one(f);
}

/* ---- answers ---- */

static void what_stays_open_is_pushed_for_again_ever_more_rarely(void **state)
{
    struct fixture *f = *state;
    int64_t before = 0;
    (void)phone_waited_for(f, 0, "A");
    for (int64_t round = 0; round < 8; round++) {
        struct wake wake = claim_one(f);
        fixture_settle(f, &wake, WAKE_SENT, 0, NULL);
        int64_t pause = rows_integer(job_of(f), 0, "due_at") - f->now;
        assert_in_range(pause, HOUR * 3 / 4, DAY * 5 / 4);
        assert_true(round >= 4 || pause > before);
        before = pause;
        assert_int_equal(claimable(f), 0);
        f->now += pause;
    }
    assert_true(before >= DAY * 3 / 4 - 1);
}

static void a_device_of_which_too_much_was_asked_waits_as_told(void **state)
{
    struct fixture *f = *state;
    struct err err;
    (void)phone_waited_for(f, 0, "A");
    struct wake wake = claim_one(f);
    struct wake_answer answer = {
        .wake = &wake, .outcome = WAKE_LATER, .retry_seconds = 500, .reason = "TooManyRequests"};
    assert_works(fleet_wake_settle(f->fleet, &answer, 1, f->now, &err), err);
    struct rows *rows = job_of(f);
    assert_int_equal(rows_integer(rows, 0, "due_at"), f->now + 500);
    assert_string_equal(rows_text(rows, 0, "last_error"), "TooManyRequests");
}

static void what_is_held_keeps_its_place_and_its_tries(void **state)
{
    struct fixture *f = *state;
    (void)phone_waited_for(f, 0, "A");
    int64_t due_at = rows_integer(job_of(f), 0, "due_at");
    f->now += 100;
    for (int i = 0; i < 5; i++) {
        struct wake wake = claim_one(f);
        assert_int_equal(wake.tries, 1);
        fixture_settle(f, &wake, WAKE_HELD, 0, "no connection");
    }
    assert_int_equal(rows_integer(job_of(f), 0, "due_at"), due_at);
}

static void a_command_that_comes_during_a_push_is_pushed_for(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_waited_for(f, 0, "A");
    struct wake wake = claim_one(f);
    (void)phone_obey(f, &phone);
    (void)phone_order(f, &phone, COMMAND_LOCK);
    fixture_settle(f, &wake, WAKE_DEAD, f->now - 10, "Unregistered"); /* of an older address */
    f->now += 100;
    assert_int_equal(claimable(f), 1);
}

static const char *problem_of(struct fixture *f, const struct phone *phone)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_ENROLMENT, ARGS(TEXT(phone->enrolment_id)));
    return rows_integer(rows, 0, "push_dead_at") ? rows_text(rows, 0, "push_problem") : NULL;
}

static void an_address_that_was_told_during_a_push_outlives_its_answer(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_waited_for(f, 0, "A");
    struct wake wake = claim_one(f);
    f->now += 5;
    assert_false(phone_activate(f, &phone));
    fixture_settle(f, &wake, WAKE_WRONG, 0, "BadDeviceToken");
    assert_null(problem_of(f, &phone));
    f->now += 60;
    assert_int_equal(claimable(f), 1);
}

static void a_refused_address_lives_again_with_the_next_certificate(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct phone phone = phone_waited_for(f, 0, "A"), gone = phone_waited_for(f, 1, "B");
    struct wake wake;
    struct err err;
    assert_true(phone_wake(f, &phone, &wake));
    fixture_settle(f, &wake, WAKE_WRONG, 0, "BadDeviceToken");
    assert_string_equal(problem_of(f, &phone), "BadDeviceToken");
    assert_non_null(strstr(fixture_event(f, "push.refused"), "BadDeviceToken"));
    assert_true(phone_push(f, &gone, WAKE_DEAD, f->now));
    assert_int_equal(fixture_events(f, "push.dead"), 1);
    assert_works(fixture_push_import(f, TOPIC, 365, &err), err);
    assert_null(problem_of(f, &phone));
    assert_string_equal(problem_of(f, &gone), "Unregistered"); /* it left: that has not changed */
    assert_string_equal(claim_one(f).enrolment_id, phone.enrolment_id);
}

/* ---- the certificate ---- */

static struct push_certificate_view view_of(struct fixture *f)
{
    struct actor admin = fixture_admin(f);
    struct push_certificate_view view;
    struct err err;
    assert_works(fleet_push_get(f->fleet, &admin, f->owner, &view, &err), err);
    return view;
}

static struct push_state state_of(struct fixture *f)
{
    struct push_state state;
    struct err err;
    assert_works(fleet_push_state(f->fleet, f->owner, &state, &err), err);
    return state;
}

static void a_pause_is_told_once_and_ends_with_the_next_certificate(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct push_state before = state_of(f);
    struct err err;
    for (int i = 0; i < 3; i++)
        assert_works(fleet_push_pause(f->fleet, before.id, "it says no", f->now, &err), err);
    assert_int_equal(fixture_events(f, "push.paused"), 1);
    assert_string_equal(view_of(f).state, "paused");
    assert_string_equal(view_of(f).pause_reason, "it says no");
    assert_works(fixture_push_import(f, TOPIC, 365, &err), err);
    assert_string_equal(view_of(f).state, "active");
    assert_true(state_of(f).revision != before.revision);
    /* what the old one is told does not touch the new one */
    assert_works(fleet_push_pause(f->fleet, before.id, "it says no", f->now, &err), err);
    assert_string_equal(view_of(f).state, "active");
}

static void a_pause_ends_when_the_service_takes_it_again(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct push_state now = state_of(f);
    struct err err;
    assert_works(fleet_push_pause(f->fleet, now.id, "it says no", f->now, &err), err);
    for (int i = 0; i < 2; i++)
        assert_works(fleet_push_resume(f->fleet, now.id, f->now, &err), err);
    assert_int_equal(fixture_events(f, "push.resumed"), 1);
    assert_string_equal(view_of(f).state, "active");
}

static void the_end_of_the_certificate_is_told_five_times(void **state)
{
    static const struct {
        int64_t days_left, events;
    } steps[] = {{61, 0}, {60, 1}, {59, 1}, {31, 1}, {30, 2},
                 {14, 3}, {8, 3},  {7, 4},  {2, 4},  {1, 5}};
    struct fixture *f = with_certificate(state, 365);
    int64_t end = view_of(f).not_after;
    struct err err;
    for (size_t i = 0; i < COUNT(steps); i++) {
        f->now = end - steps[i].days_left * DAY;
        for (int again = 0; again < 2; again++)
            assert_works(fleet_push_warn(f->fleet, f->now, &err), err);
        assert_int_equal(fixture_events(f, "push_certificate.expires"), steps[i].events);
    }
    assert_non_null(strstr(fixture_event(f, "push_certificate.expires"), "it@example.org"));
    f->now = end;
    for (int again = 0; again < 2; again++)
        assert_works(fleet_push_warn(f->fleet, f->now, &err), err);
    assert_int_equal(fixture_events(f, "push.paused"), 1);
    assert_string_equal(view_of(f).state, "expired");
    assert_works(fixture_push_import(f, TOPIC, 365, &err), err);
    assert_works(fleet_push_warn(f->fleet, f->now, &err), err);
    assert_int_equal(fixture_events(f, "push_certificate.expires"), 5);
}

static void the_account_that_renews_is_kept(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct actor admin = fixture_admin(f);
    struct bytes request;
    struct err err;
    assert_string_equal(view_of(f).account, "it@example.org");
    assert_works(fleet_push_request(f->fleet, &admin, f->owner, NULL, &request, &err), err);
    assert_non_null(memmem(request.data, request.size, "it@example.org", 14));
}

/* ---- silent devices ---- */

static size_t sweep(struct fixture *f, int64_t from, int64_t until, size_t most)
{
    const struct wake_sweep sweep = {from, until, DAY, most};
    size_t count = 0;
    struct err err;
    assert_works(fleet_wake_sweep(f->fleet, &sweep, f->now, &count, &err), err);
    return count;
}

/* The whole day of f->now. */
static size_t sweep_day(struct fixture *f, size_t most)
{
    int64_t midnight = f->now - f->now % DAY;
    return sweep(f, midnight, midnight + DAY - 1, most);
}

static void a_silent_device_is_woken_once_a_day(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct phone phone = phone_enrolled(f, 0, "A");
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    assert_int_equal(sweep_day(f, 10), 0); /* it was heard of */
    f->now += DAY + HOUR;
    assert_int_equal(sweep_day(f, 10), 1);
    assert_int_equal(sweep_day(f, 10), 0);
    f->now += 60; /* spread over a minute */
    struct wake wake = claim_one(f);
    assert_string_equal(wake.enrolment_id, phone.enrolment_id);
    assert_false(wake.is_waited_for);
    fixture_settle(f, &wake, WAKE_SENT, 0, NULL);
    assert_int_equal(job_of(f)->count, 0); /* nothing is open: once is enough */
    f->now += DAY;
    assert_int_equal(sweep_day(f, 10), 1);
}

static void a_sweep_takes_a_page_of_those_whose_turn_it_is(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    int64_t part = DAY / 8;
    size_t found = 0;
    for (size_t i = 0; i < 5; i++)
        (void)phone_enrolled(f, i, mem_format(f->owner, "UDID %zu", i));
    fixture_write(f, &SQL_CLEAR_JOBS, NO_ARGS);
    f->now += 2 * DAY;
    assert_int_equal(sweep_day(f, 2), 2);
    int64_t midnight = f->now - f->now % DAY;
    for (int64_t i = 0; i < 8; i++)
        found += sweep(f, midnight + i * part, midnight + (i + 1) * part - 1, 10);
    assert_int_equal(found, 3); /* each in one part of the day */
    assert_int_equal(job_of(f)->count, 5);
}

static void who_cannot_be_woken_is_not_swept(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct actor admin = fixture_admin(f);
    struct phone blocked = phone_enrolled(f, 0, "A"), leaving = phone_enrolled(f, 1, "B"),
                 dead = phone_waited_for(f, 2, "C");
    struct err err;
    assert_works(fleet_device_block(f->fleet, &admin, blocked.device_id, &err), err);
    (void)phone_order(f, &leaving, COMMAND_RETIRE);
    assert_true(phone_push(f, &dead, WAKE_DEAD, f->now));
    (void)phone_certified(f, 3, "D"); /* never came */
    struct phone gone = phone_waited_for(f, 4, "E");
    struct identity identity = phone_identity(f, &gone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    assert_works(fleet_check_out(f->fleet, &actor, &identity, &err), err);
    f->now += 2 * DAY;
    assert_int_equal(sweep_day(f, 10), 0);
    assert_false(phone_wake(f, &gone, NULL));
    assert_int_equal(claimable(f), 0);
}

static void nobody_is_swept_while_pushes_are_paused(void **state)
{
    struct fixture *f = with_certificate(state, 365);
    struct err err;
    (void)phone_enrolled(f, 0, "A");
    f->now += 2 * DAY;
    assert_works(fleet_push_pause(f->fleet, state_of(f).id, "it says no", f->now, &err), err);
    assert_int_equal(sweep_day(f, 10), 0);
}

/* Apple's portal takes last year's request, too. */
static void a_certificate_is_renewed_for_the_key_that_it_has(void **state)
{
    struct fixture *f = *state;
    struct actor admin = fixture_admin(f);
    struct push_certificate_view view;
    struct bytes request;
    struct err err;
    assert_works(fleet_push_request(f->fleet, &admin, f->owner, "it@example.org", &request, &err),
                 err);
    assert_works(
        fleet_push_import(f->fleet, &admin, fixture_push_sign(f, request, TOPIC, 10), &err), err);
    f->now += 11 * 86400;
    assert_works(fleet_push_warn(f->fleet, f->now, &err), err);
    assert_works(fleet_push_get(f->fleet, &admin, f->owner, &view, &err), err);
    assert_true(view.paused_at > 0);
    assert_works(
        fleet_push_import(f->fleet, &admin, fixture_push_sign(f, request, TOPIC, 365), &err), err);
    assert_works(fleet_push_get(f->fleet, &admin, f->owner, &view, &err), err);
    assert_string_equal(view.state, "active");
    assert_int_equal(view.paused_at, 0);
    assert_int_equal(view.not_after, f->now + 365 * 86400);
}

FLEET_MAIN(FLEET_TEST(a_certificate_is_renewed_for_the_key_that_it_has),
           FLEET_TEST(many_commands_make_one_push), FLEET_TEST(a_claim_takes_no_more_than_it_may),
           FLEET_TEST(what_was_fetched_meanwhile_is_not_pushed_for),
           FLEET_TEST(a_push_that_was_under_way_at_a_restart_is_made_again),
           FLEET_TEST(the_key_process_being_away_loses_no_push),
           FLEET_TEST(what_stays_open_is_pushed_for_again_ever_more_rarely),
           FLEET_TEST(a_device_of_which_too_much_was_asked_waits_as_told),
           FLEET_TEST(what_is_held_keeps_its_place_and_its_tries),
           FLEET_TEST(a_command_that_comes_during_a_push_is_pushed_for),
           FLEET_TEST(an_address_that_was_told_during_a_push_outlives_its_answer),
           FLEET_TEST(a_refused_address_lives_again_with_the_next_certificate),
           FLEET_TEST(a_pause_is_told_once_and_ends_with_the_next_certificate),
           FLEET_TEST(a_pause_ends_when_the_service_takes_it_again),
           FLEET_TEST(the_end_of_the_certificate_is_told_five_times),
           FLEET_TEST(the_account_that_renews_is_kept),
           FLEET_TEST(a_silent_device_is_woken_once_a_day),
           FLEET_TEST(a_sweep_takes_a_page_of_those_whose_turn_it_is),
           FLEET_TEST(who_cannot_be_woken_is_not_swept),
           FLEET_TEST(nobody_is_swept_while_pushes_are_paused))
