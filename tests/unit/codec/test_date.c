/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <time.h>

#include "codec/date.h"

static void known_dates_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } known[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2001-01-01T00:00:00Z", 978307200},
        {"2024-02-29T23:59:59Z", 1709251199},
        {"0001-01-01T00:00:00Z", DATE_LOWEST},
        {"9999-12-31T23:59:59Z", DATE_HIGHEST},
        {"1969-12-31T23:59:59Z", -1},
        {"4001-01-01T00:00:00Z", 64092211200},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        int64_t at;
        char text[DATE_SIZE + 1];
        assert_true(date_parse(bytes_text(known[i].text), &at));
        assert_int_equal(at, known[i].at);
        assert_true(date_render(known[i].at, text));
        assert_string_equal(text, known[i].text);
    }
}

static void dates_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t at = DATE_LOWEST; at <= DATE_HIGHEST; at += 86400 * 97 + 12347) {
        char text[DATE_SIZE + 1];
        struct tm parts;
        time_t seconds = (time_t)at;
        int64_t back;
        assert_true(date_render(at, text));
        assert_true(date_parse(bytes_text(text), &back));
        assert_int_equal(back, at);
        assert_non_null(gmtime_r(&seconds, &parts));
        CLEANUP(mem_free_at)
        char *expected =
            mem_format(NULL, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        assert_string_equal(text, expected);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "2024-01-01",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00z",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00ZZ",
        " 024-01-01T00:00:00Z",
        "+024-01-01T00:00:00Z",
    };
    int64_t at;
    char text[DATE_SIZE + 1];
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(date_parse(bytes_text(bad[i]), &at));
    assert_false(date_render(DATE_LOWEST - 1, text));
    assert_false(date_render(DATE_HIGHEST + 1, text));
    assert_false(date_render(INT64_MIN, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_dates_are_read_and_written),
        cmocka_unit_test(dates_agree_with_the_c_library),
        cmocka_unit_test(what_is_no_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
