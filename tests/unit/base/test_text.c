/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/text.h"

static void only_well_formed_utf_8_is_utf_8(void **state)
{
    static const char *const good[] = {
        "", "abc", "\xc3\xa9", "a\xe2\x98\xba", "\xf0\x9f\x98\x80z", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "a\xc3",        "\xc0\x80",
                                      "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xff",         "\xe2\x98",     "\xc3z"};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(text_is_utf8(bytes_text(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(text_is_utf8(bytes_text(bad[i])));
}

static void null_equals_only_null(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL) && text_equal("a", "a"));
    assert_false(text_equal(NULL, "") || text_equal("", NULL) || text_equal("a", "A"));
    assert_true(text_equal_nocase("Content-Type", "content-type"));
    assert_false(text_equal_nocase("a", "b") || text_equal_nocase(NULL, "a"));
    assert_true(text_starts("abc", "ab") && text_starts("a", ""));
    assert_false(text_starts("a", "ab"));
}

static void hexadecimal_goes_both_ways(void **state)
{
    static const uint8_t raw[] = {0, 1, 0xAB, 0xFF};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    (void)state;
    assert_string_equal(text_hex(owner, BYTES_OF(raw)), "0001abff");
    assert_string_equal(text_hex(owner, NO_BYTES), "");
    assert_works(text_unhex(owner, "0001aBFf", &out, &err), err);
    assert_true(bytes_equal(out, BYTES_OF(raw)));
    assert_fails(text_unhex(owner, "abc", &out, &err), err, ERR_BAD_INPUT);
    assert_fails(text_unhex(owner, "0g", &out, &err), err, ERR_BAD_INPUT);
    assert_fails(text_unhex(owner, " 0", &out, &err), err, ERR_BAD_INPUT);
}

static void folded_texts_find_each_other(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    assert_string_equal(text_fold(owner, "STRASSE"), text_fold(owner, "stra\xc3\x9f"
                                                                      "e"));
    assert_string_equal(text_fold(owner, "\xc3\x89"), text_fold(owner, "e\xcc\x81"));
    assert_string_equal(text_fold(owner, ""), "");
    assert_string_equal(text_fold(owner, "\xff"), "\xff");
}

static void numbers_are_whole_and_in_range(void **state)
{
    static const struct {
        const char *text;
        int64_t number;
    } good[] = {{"0", 0},
                {"-1", -1},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1a",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    int64_t number = 77;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(number_parse(bytes_text(bad[i]), INT64_MIN, INT64_MAX, &number, &err), err,
                     ERR_BAD_INPUT);
    assert_fails(number_parse(bytes_text("11"), 1, 10, &number, &err), err, ERR_BAD_INPUT);
    assert_fails(number_parse(bytes_text("0"), 1, 10, &number, &err), err, ERR_BAD_INPUT);
    assert_int_equal(number, 77);
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_works(number_parse(bytes_text(good[i].text), INT64_MIN, INT64_MAX, &number, &err),
                     err);
        assert_int_equal(number, good[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_utf_8_is_utf_8),
        cmocka_unit_test(null_equals_only_null),
        cmocka_unit_test(hexadecimal_goes_both_ways),
        cmocka_unit_test(folded_texts_find_each_other),
        cmocka_unit_test(numbers_are_whole_and_in_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
