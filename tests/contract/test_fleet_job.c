/* SPDX-License-Identifier: Apache-2.0 */
/* Background work: leases, two workers, work that comes while work is done. */
#include "base/clock.h"
#include "base/text.h"
#include "fleet/job.h"
#include "tests/contract/fleet_fixture.h"

static void schedule(struct fixture *f, const char *kind, const char *subject, int64_t due_at)
{
    struct err err;
    assert_works(fleet_job_schedule(f->fleet, kind, subject, due_at, &err), err);
}

static struct job claim(struct fixture *f, const char *kind)
{
    struct job job = {0};
    struct err err;
    assert_works(fleet_job_claim(f->fleet, f->owner, kind, f->now, &job, &err), err);
    return job;
}

static void done(struct fixture *f, const struct job *job)
{
    struct err err;
    assert_works(fleet_job_done(f->fleet, job, &err), err);
}

static void a_job_is_done_when_it_is_due(void **state)
{
    struct fixture *f = *state;
    schedule(f, "test", "a", f->now + 10);
    assert_null(claim(f, "test").kind);
    assert_null(claim(f, "other").kind);
    f->now += 10;
    struct job job = claim(f, "test");
    assert_string_equal(job.subject, "a");
    assert_int_equal(job.tries, 1);
    assert_null(claim(f, "test").kind);
    done(f, &job);
    assert_int_equal(fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("test")))->count, 0);
}

static void looking_for_work_writes_nothing(void **state)
{
    struct fixture *f = *state;
    schedule(f, "test", "a", f->now + 10);
    uint64_t before = database_transactions(f->contract->database);
    for (int i = 0; i < 10; i++)
        assert_null(claim(f, "test").kind);
    assert_int_equal(database_transactions(f->contract->database), before);
}

static void the_oldest_job_comes_first(void **state)
{
    struct fixture *f = *state;
    schedule(f, "test", "b", f->now - 5);
    schedule(f, "test", "a", f->now - 1);
    schedule(f, "test", "c", f->now - 9);
    assert_string_equal(claim(f, "test").subject, "c");
    assert_string_equal(claim(f, "test").subject, "b");
    assert_string_equal(claim(f, "test").subject, "a");
}

static void the_lease_of_a_lost_worker_ends(void **state)
{
    struct fixture *f = *state;
    schedule(f, "test", "a", f->now);
    assert_non_null(claim(f, "test").kind);
    f->now += JOB_LEASE_SECONDS;
    assert_null(claim(f, "test").kind);
    f->now += 1;
    assert_int_equal(claim(f, "test").tries, 2);
}

static void a_failed_job_is_tried_again_later(void **state)
{
    struct fixture *f = *state;
    struct err err;
    schedule(f, "test", "a", f->now);
    struct job job = claim(f, "test");
    assert_works(fleet_job_retry(f->fleet, &job, f->now + 30, "no network", &err), err);
    assert_null(claim(f, "test").kind);
    struct rows *rows = fixture_look(f, &SQL_LOOK_JOB, ARGS(TEXT("test")));
    assert_string_equal(rows_text(rows, 0, "last_error"), "no network");
    f->now += 30;
    assert_int_equal(claim(f, "test").tries, 2);
}

static void scheduling_twice_is_one_job_at_the_earlier_time(void **state)
{
    struct fixture *f = *state;
    schedule(f, "test", "a", f->now + 10);
    schedule(f, "test", "a", f->now + 20);
    schedule(f, "test", "b", f->now + 20);
    schedule(f, "test", "b", f->now + 10);
    f->now += 10;
    struct job first = claim(f, "test"), second = claim(f, "test");
    assert_non_null(first.kind);
    assert_non_null(second.kind);
    done(f, &first);
    done(f, &second);
    f->now += 10;
    assert_null(claim(f, "test").kind);
}

static void work_that_comes_while_it_is_done_is_not_lost(void **state)
{
    struct fixture *f = *state;
    schedule(f, "test", "a", f->now);
    struct job job = claim(f, "test");
    schedule(f, "test", "a", f->now); /* the same second */
    done(f, &job);
    struct job again = claim(f, "test");
    assert_non_null(again.kind);
    done(f, &again);
    assert_null(claim(f, "test").kind);
}

static void a_retry_does_not_put_off_work_that_came_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct err err;
    schedule(f, "test", "a", f->now);
    struct job job = claim(f, "test");
    schedule(f, "test", "a", f->now);
    assert_works(fleet_job_retry(f->fleet, &job, f->now + 600, "no network", &err), err);
    assert_non_null(claim(f, "test").kind);
}

/* ---- two workers ---- */

#define JOBS 40

struct worker {
    int64_t now;
    int count[JOBS];
    bool worked;
    struct err err;
};

static void work(struct fleet *fleet, void *context)
{
    struct worker *worker = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    int64_t number;
    int empty = 0;
    worker->worked = true;
    while (worker->worked && empty < 20) {
        struct job job = {0};
        worker->worked = fleet_job_claim(fleet, owner, "test", worker->now, &job, &worker->err);
        if (!worker->worked || !job.kind) {
            empty++; /* somebody else was faster, or there is none */
            continue;
        }
        worker->worked = number_parse(bytes_text(job.subject), 0, JOBS - 1, &number, &worker->err);
        if (!worker->worked)
            continue;
        worker->count[number]++;
        worker->worked = fleet_job_done(fleet, &job, &worker->err);
    }
}

static void two_workers_never_get_the_same_job(void **state)
{
    struct fixture *f = *state;
    struct worker workers[2] = {{.now = f->now}, {.now = f->now}};
    for (int i = 0; i < JOBS; i++)
        schedule(f, "test", mem_format(f->owner, "%d", i), f->now - i);
    fixture_race(f, work, workers, sizeof(workers[0]), COUNT(workers));
    for (size_t i = 0; i < COUNT(workers); i++)
        assert_works(workers[i].worked, workers[i].err);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(workers[0].count[i] + workers[1].count[i], 1);
}

/* ---- waiting ---- */

static void a_waiting_worker_is_woken_by_a_commit(void **state)
{
    struct fixture *f = *state;
    unsigned turn = 0;
    fleet_job_wait(f->shared, &turn, 1);
    schedule(f, "test", "a", f->now);
    int64_t before = clock_monotonic_ms();
    fleet_job_wait(f->shared, &turn, 60000);
    assert_true(clock_monotonic_ms() - before < 30000);
    fleet_job_wait(f->shared, &turn, 20); /* once only */
    assert_true(clock_monotonic_ms() - before >= 20);
    assert_false(fleet_job_stopped(f->shared));
    fleet_job_stop(f->shared);
    fleet_job_wait(f->shared, &turn, 60000);
    assert_true(clock_monotonic_ms() - before < 30000);
    assert_true(fleet_job_stopped(f->shared));
}

FLEET_MAIN(FLEET_TEST(a_job_is_done_when_it_is_due), FLEET_TEST(looking_for_work_writes_nothing),
           FLEET_TEST(the_oldest_job_comes_first), FLEET_TEST(the_lease_of_a_lost_worker_ends),
           FLEET_TEST(a_failed_job_is_tried_again_later),
           FLEET_TEST(scheduling_twice_is_one_job_at_the_earlier_time),
           FLEET_TEST(work_that_comes_while_it_is_done_is_not_lost),
           FLEET_TEST(a_retry_does_not_put_off_work_that_came_meanwhile),
           FLEET_TEST(two_workers_never_get_the_same_job),
           FLEET_TEST(a_waiting_worker_is_woken_by_a_commit))
