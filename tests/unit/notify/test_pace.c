/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/pace.h"

#include "tests/test.h"

/* Take all that may go, every `step` milliseconds, and count. */
static size_t run(struct pace *pace, int64_t *now, int64_t ms, int64_t step)
{
    size_t went = 0;
    for (int64_t end = *now + ms; *now < end; *now += step) {
        size_t room = pace_room(pace, *now, 1000000);
        pace_spend(pace, room);
        went += room;
    }
    return went;
}

static void the_budget_is_kept_however_often_one_asks(void **state)
{
    static const int64_t steps[] = {1, 7, 50, 200};
    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        int64_t now = 5000;
        struct pace pace = pace_make(200, now);
        size_t went = run(&pace, &now, 10000, steps[i]);
        assert_in_range(went, 1940, 2050); /* the burst of the start is 50 */
    }
}

static void a_burst_is_bounded_after_any_pause(void **state)
{
    (void)state;
    struct pace pace = pace_make(200, 0);
    pace_spend(&pace, pace_room(&pace, 0, 1000));
    assert_int_equal(pace_room(&pace, 3600 * 1000, 1000), 50);
    pace_spend(&pace, 50);
    assert_int_equal(pace_room(&pace, 3600 * 1000, 1000), 0);
    assert_int_equal(pace_room(&pace, INT64_MAX / 2, 1000), 50);
}

static void a_small_budget_lets_one_go_now_and_then(void **state)
{
    (void)state;
    int64_t now = 0;
    struct pace pace = pace_make(1, now);
    assert_in_range(run(&pace, &now, 10000, 10), 10, 11);
}

static void the_wait_is_until_the_next_one(void **state)
{
    (void)state;
    struct pace pace = pace_make(10, 0);
    pace_spend(&pace, pace_room(&pace, 0, 100));
    int64_t wait = pace_wait_ms(&pace);
    assert_in_range(wait, 1, 100);
    assert_int_equal(pace_room(&pace, wait - 1, 1), 0);
    assert_int_equal(pace_room(&pace, wait, 1), 1);
    assert_int_equal(pace_wait_ms(&pace), 0);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    (void)state;
    struct pace pace = pace_make(100, 10000);
    pace_spend(&pace, pace_room(&pace, 10000, 100));
    assert_int_equal(pace_room(&pace, 5000, 100), 0);
    assert_int_equal(pace_room(&pace, 5010, 100), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_is_kept_however_often_one_asks),
        cmocka_unit_test(a_burst_is_bounded_after_any_pause),
        cmocka_unit_test(a_small_budget_lets_one_go_now_and_then),
        cmocka_unit_test(the_wait_is_until_the_next_one),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
