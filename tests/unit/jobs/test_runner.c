/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/runner.h"

#include "tests/test.h"

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
        cmocka_unit_test(every_job_has_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
