/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/version.h"

#include "tests/test.h"

static void versions_compare_by_number(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"17.4.1", "17.10", -1}, {"17.10", "17.4.1", 1}, {"17", "17.0.0", 0},
        {"9.3.5", "10.0", -1},   {"17.4", "17.4.1", -1}, {"007", "7", 0},
        {"0", "0.0.1", -1},      {"15.8", "17.0", -1},   {"1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.9", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int order = 9;
        assert_true(version_compare(cases[i].a, cases[i].b, &order));
        assert_int_equal(order, cases[i].order);
        assert_true(version_compare(cases[i].b, cases[i].a, &order));
        assert_int_equal(order, -cases[i].order);
    }
}

static void what_is_not_a_version_is_not_compared(void **state)
{
    static const char *const texts[] = {
        "",      ".",     "17.", ".17",        "17..4", "17.4b",  "-1",
        "17.-4", "17 .4", "v17", "9999999999", "१७",    "17.4\n", "1.2.3.4.5.6.7.8.9",
        "+1",    "1e3",   NULL,
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        int order = 9;
        assert_false(version_compare(texts[i], "17", &order));
        assert_false(version_compare("17", texts[i], &order));
        assert_int_equal(order, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_compare_by_number),
        cmocka_unit_test(what_is_not_a_version_is_not_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
