/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/clock.h"

static void times_are_written_and_read(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } known[] = {{"1970-01-01T00:00:00Z", 0},
                 {"2024-02-29T23:59:59Z", 1709251199},
                 {"9999-12-31T23:59:59Z", 253402300799}};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        int64_t at;
        struct err err;
        assert_string_equal(time_text(owner, known[i].at), known[i].text);
        assert_works(time_parse(known[i].text, &at, &err), err);
        assert_int_equal(at, known[i].at);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00z",
        "2024-01-01T00:00:00+00:00",
        "2024-01-01T00:00:00.5Z",
        "2024-1-01T00:00:00Z",
        " 2024-01-01T00:00:0Z",
        "1969-12-31T23:59:59Z",
        "20240-01-01T00:00:0Z",
    };
    int64_t at = 77;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(time_parse(bad[i], &at, &err), err, ERR_BAD_INPUT);
    assert_int_equal(at, 77);
}

static void local_times_name_no_zone(void **state)
{
    static const char *const bad[] = {"2024-02-30T00:00:00", "2024-01-01T00:00:00Z", "2024-01-01",
                                      "", "2024-01-01 00:00:00"};
    int64_t at = 77;
    struct err err;
    assert_works(time_local_parse("2024-02-29T23:59:59", &at, &err), err);
    assert_int_equal(at, 1709251199);
    assert_string_equal(time_local_text(*state, at), "2024-02-29T23:59:59");
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(time_local_parse(bad[i], &at, &err), err, ERR_BAD_INPUT);
}

static void the_clocks_go_forward(void **state)
{
    int64_t first = clock_monotonic_ms();
    (void)state;
    assert_true(clock_monotonic_ms() >= first);
    assert_true(clock_now() > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_and_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(local_times_name_no_zone),
        cmocka_unit_test(the_clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
