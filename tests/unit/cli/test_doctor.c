/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/acts.h"
#include "tests/test.h"

#define DAY INT64_C(86400)

/* By default it renews between the last third and the last sixth of its life, see fleet/renew.h. */
static void a_certificate_that_waits_for_its_renewal_is_no_reason_to_warn(void **state)
{
    static const struct {
        int64_t life, warn; /* days; seconds */
    } cases[] = {{825, 30 * DAY}, {365, 30 * DAY},    {180, 30 * DAY}, {179, 179 * DAY / 6},
                 {90, 15 * DAY},  {14, 14 * DAY / 6}, {6, DAY},        {1, DAY / 6}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(doctor_warn_seconds(1000, 1000 + cases[i].life * DAY), cases[i].warn);
}

static void dates_in_the_wrong_order_warn_when_it_has_ended(void **state)
{
    (void)state;
    assert_int_equal(doctor_warn_seconds(1000, 1000), 0);
    assert_int_equal(doctor_warn_seconds(1000, 999), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_waits_for_its_renewal_is_no_reason_to_warn),
        cmocka_unit_test(dates_in_the_wrong_order_warn_when_it_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
