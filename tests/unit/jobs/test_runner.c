/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/runner.h"

#include "tests/test.h"

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

static void every_job_has_what_it_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < job_row_count; i++) {
        assert_non_null(job_rows[i].name);
        assert_true(!job_rows[i].run != !job_rows[i].handle);
        assert_true(job_rows[i].threads > 0 && job_rows[i].idle_ms > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(job_rows[i].name, job_rows[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_grow_up_to_a_limit),
        cmocka_unit_test(a_pause_is_never_nothing),
        cmocka_unit_test(every_job_has_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
