/* SPDX-License-Identifier: Apache-2.0 */
/* What a device puts off: counted in a row, and pushed for later and later. */
#include "fleet/job.h"
#include "tests/contract/fleet_fixture.h"

static struct put_off put_off_of(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct put_off put_off = {-1, -1};
    struct err err;
    assert_works(fleet_session_put_off(f->fleet, &identity, &put_off, &err), err);
    return put_off;
}

static void session_begin(struct fixture *f, const struct phone *phone)
{
    struct identity identity = phone_identity(f, phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct err err;
    assert_works(fleet_session_begin(f->fleet, &actor, &identity, &err), err);
}

/* A session in which the device says no to all that it is offered. */
static int64_t put_all_off(struct fixture *f, const struct phone *phone)
{
    session_begin(f, phone);
    for (struct command c = phone_fetch(f, phone); c.id; c = phone_fetch(f, phone))
        assert_int_equal(phone_answer(f, phone, c.id, ANSWER_NOT_NOW), RESULT_TAKEN);
    return put_off_of(f, phone).most;
}

static void what_is_put_off_is_counted_in_a_row(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    assert_int_equal(put_off_of(f, &phone).count, 0);
    for (int64_t session = 1; session <= 5; session++)
        assert_int_equal(put_all_off(f, &phone), session);
    assert_int_equal(put_off_of(f, &phone).count, 1);
    /* the same answer again, as after a lost reply */
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_NOT_NOW), RESULT_TAKEN);
    assert_int_equal(put_off_of(f, &phone).most, 5);
    session_begin(f, &phone);
    assert_int_equal(put_off_of(f, &phone).count, 0);
}

static void another_answer_to_it_forgets_the_row(void **state)
{
    static const enum command_answer answers[] = {ANSWER_DONE, ANSWER_FAILED};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct phone phone = phone_enrolled(f, i, i ? "B" : "A");
        struct command lock = phone_order(f, &phone, COMMAND_LOCK);
        (void)phone_order(f, &phone, COMMAND_RESTART);
        assert_int_equal(put_all_off(f, &phone), 1);
        assert_int_equal(put_all_off(f, &phone), 2);
        session_begin(f, &phone);
        assert_string_equal(phone_fetch(f, &phone).id, lock.id);
        assert_int_equal(phone_answer(f, &phone, lock.id, answers[i]), RESULT_TAKEN);
        assert_int_equal(put_all_off(f, &phone), 1); /* the restart, from the start */
    }
}

/* A yes to what a locked phone answers as well says nothing about the rest. */
static void an_answer_to_something_else_keeps_the_row(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    (void)phone_order(f, &phone, COMMAND_RESTART);
    assert_int_equal(put_all_off(f, &phone), 1);
    struct command lock = phone_order(f, &phone, COMMAND_LOCK);
    session_begin(f, &phone);
    assert_string_equal(phone_fetch(f, &phone).id, lock.id);
    assert_int_equal(phone_answer(f, &phone, lock.id, ANSWER_DONE), RESULT_TAKEN);
    assert_int_equal(put_all_off(f, &phone), 2);
}

static void only_the_kinds_that_are_asked_for_are_fetched(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    struct identity identity = phone_identity(f, &phone);
    struct actor actor = fleet_device_actor(&identity, "r", f->now);
    struct command command = {0};
    struct err err;
    fixture_write(f, &SQL_FLOOD, ARGS(TEXT(phone.enrolment_id), INTEGER(f->now), INTEGER(1000)));
    (void)phone_order(f, &phone, COMMAND_SYNC);
    const unsigned kinds = 1U << COMMAND_QUERY_ITEMS | 1U << COMMAND_LOCK;
    assert_works(fleet_command_fetch(f->fleet, &actor, f->owner, &identity, kinds, &command, &err),
                 err);
    assert_int_equal(command.kind, COMMAND_QUERY_ITEMS);
    assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_DONE), RESULT_TAKEN);
    uint64_t before = database_transactions(f->contract->database);
    assert_works(fleet_command_fetch(f->fleet, &actor, f->owner, &identity, kinds, &command, &err),
                 err);
    assert_null(command.id);
    assert_int_equal(database_transactions(f->contract->database), before);
    assert_int_equal(phone_fetch(f, &phone).kind, COMMAND_REMOVE_ITEM);
}

/* With nothing else in the queue, and with a thousand. */
static void to_put_off_costs_one_transaction_whatever_waits(void **state)
{
    struct fixture *f = *state;
    struct phone phone = phone_enrolled(f, 0, "A");
    const struct database *database = f->contract->database;
    for (int64_t flood = 0; flood <= 1000; flood += 1000) {
        if (flood)
            fixture_write(f, &SQL_FLOOD,
                          ARGS(TEXT(phone.enrolment_id), INTEGER(f->now), INTEGER(flood)));
        else
            (void)phone_order(f, &phone, COMMAND_LOCK);
        session_begin(f, &phone);
        for (int i = 0; i < 3; i++) {
            struct command command = phone_fetch(f, &phone);
            if (!command.id)
                break;
            uint64_t before = database_transactions(database);
            assert_int_equal(phone_answer(f, &phone, command.id, ANSWER_NOT_NOW), RESULT_TAKEN);
            assert_int_equal(database_transactions(database), before + 1);
            (void)put_off_of(f, &phone);
            assert_int_equal(database_transactions(database), before + 1);
            (void)phone_fetch(f, &phone);
            assert_true(database_transactions(database) <= before + 2);
        }
    }
}

/* ---- pushes for it ---- */

static int64_t due(struct fixture *f)
{
    struct rows *rows = fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("test")));
    assert_int_equal(rows->count, 1);
    return rows_integer(rows, 0, "due_at") - f->now;
}

static void postpone(struct fixture *f, int64_t seconds)
{
    struct err err;
    assert_works(fleet_job_postpone(f->fleet, "test", "a", f->now + seconds, f->now, &err), err);
}

static void schedule(struct fixture *f, int64_t seconds)
{
    struct err err;
    assert_works(fleet_job_schedule(f->fleet, "test", "a", f->now + seconds, &err), err);
}

static struct job claim(struct fixture *f)
{
    struct job job = {0};
    struct err err;
    assert_works(fleet_job_claim(f->fleet, f->owner, "test", f->now, &job, &err), err);
    assert_non_null(job.kind);
    return job;
}

static void what_is_postponed_moves_both_ways_but_never_past_what_is_due(void **state)
{
    struct fixture *f = *state;
    postpone(f, 900);
    assert_int_equal(due(f), 900);
    postpone(f, 7200);
    assert_int_equal(due(f), 7200);
    postpone(f, 60);
    assert_int_equal(due(f), 60);
    schedule(f, 0); /* a command came meanwhile */
    postpone(f, 900);
    assert_int_equal(due(f), 0);
    struct job job = claim(f); /* its push is under way */
    postpone(f, 900);
    assert_int_equal(due(f), 0);
    struct err err;
    assert_works(fleet_job_done(f->fleet, &job, &err), err);
}

static void rounds_count_until_something_new_comes(void **state)
{
    struct fixture *f = *state;
    struct err err;
    schedule(f, 0);
    for (int64_t round = 0; round < 6; round++) {
        struct job job = claim(f);
        assert_int_equal(job.rounds, round);
        assert_int_equal(job.tries, 1);
        assert_works(fleet_job_retry(f->fleet, &job, f->now + 3600, NULL, &err), err);
        f->now += 3600;
    }
    struct job job = claim(f); /* a failure is no round */
    assert_works(fleet_job_retry(f->fleet, &job, f->now, "no answer", &err), err);
    assert_int_equal(claim(f).rounds, 6);
    schedule(f, 0);
    assert_int_equal(claim(f).rounds, 0);
}

FLEET_MAIN(FLEET_TEST(what_is_put_off_is_counted_in_a_row),
           FLEET_TEST(another_answer_to_it_forgets_the_row),
           FLEET_TEST(an_answer_to_something_else_keeps_the_row),
           FLEET_TEST(only_the_kinds_that_are_asked_for_are_fetched),
           FLEET_TEST(to_put_off_costs_one_transaction_whatever_waits),
           FLEET_TEST(what_is_postponed_moves_both_ways_but_never_past_what_is_due),
           FLEET_TEST(rounds_count_until_something_new_comes))
