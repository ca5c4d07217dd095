/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include "tests/test.h"

static void doubling_stops_at_the_most(void **state)
{
    (void)state;
    assert_int_equal(backoff_doubled(-1, 5, 60), 5);
    assert_int_equal(backoff_doubled(0, 5, 60), 5);
    assert_int_equal(backoff_doubled(1, 5, 60), 10);
    assert_int_equal(backoff_doubled(3, 5, 60), 40);
    assert_int_equal(backoff_doubled(4, 5, 60), 60);
    assert_int_equal(backoff_doubled(INT64_MAX, 5, 60), 60);
    assert_int_equal(backoff_doubled(2, 15, 60), 60);
    assert_int_equal(backoff_doubled(0, 90, 60), 60);
}

static void doubling_reaches_the_last_number_there_is(void **state)
{
    (void)state;
    assert_true(backoff_doubled(62, 1, INT64_MAX) == INT64_C(1) << 62);
    assert_true(backoff_doubled(63, 1, INT64_MAX) == INT64_MAX);
    assert_true(backoff_doubled(INT64_MAX, 3, INT64_MAX) == INT64_MAX);
}

static void pauses_grow_up_to_a_limit(void **state)
{
    (void)state;
    for (int64_t tries = 0; tries < 40; tries++)
        for (int i = 0; i < 50; i++) {
            int64_t pause = backoff_seconds(tries, 5, 3600);
            int64_t middle = tries < 10 ? (int64_t)5 << tries : 3600;
            middle = middle < 3600 ? middle : 3600;
            assert_in_range(pause, middle - middle / 4 - 1, middle + middle / 4 + 1);
        }
}

static void a_pause_is_never_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        assert_true(backoff_seconds(0, 1, 1) >= 1);
    assert_true(backoff_seconds(INT64_MAX, 1, 60) <= 75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubling_stops_at_the_most),
        cmocka_unit_test(doubling_reaches_the_last_number_there_is),
        cmocka_unit_test(pauses_grow_up_to_a_limit),
        cmocka_unit_test(a_pause_is_never_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
