/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codec/repeated.h"

#include "codec/json.h"

static const struct json_limits limits = {1 << 20, 16, 1000};

static void each_value_is_read_and_written(void **state)
{
    static const char *const same[] = {
        "null",
        "true",
        "0",
        "-9223372036854775808",
        "9223372036854775807",
        "0.1",
        "1.0",
        "1e+300",
        "\"\"",
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\xc3\xa9\"",
        "[]",
        "{}",
        "[1,[2,{\"b\":1,\"a\":[]}]]",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(same); i++) {
        CLEANUP(json_decref_at) json_t *json = NULL;
        struct err err;
        assert_works(json_parse(bytes_text(same[i]), &limits, &json, &err), err);
        CLEANUP(mem_free_at) char *text = json_text(NULL, json);
        assert_string_equal(text, same[i]);
    }
}

static void the_canonical_text_does_not_depend_on_order_or_space(void **state)
{
    static const char *const texts[] = {"{ \"b\" : 1.50, \"a\": {\"d\":2,\"c\":\"\\u00e9\"} }",
                                        "{\"a\":{\"c\":\"\xc3\xa9\",\"d\":2},\"b\":1.5}"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        CLEANUP(json_decref_at) json_t *json = NULL;
        struct err err;
        assert_works(json_parse(bytes_text(texts[i]), &limits, &json, &err), err);
        CLEANUP(mem_free_at) char *text = json_canonical(NULL, json);
        assert_string_equal(text, texts[1]);
    }
}

static void malformed_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "1 2",
        "nul",
        "'a'",
        "[1",
        "{a:1}",
        "{\"a\":1,\"a\":2}",
        "\"\xff\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"a",
        "\"\\",
        "01",
        "+1",
        "1.",
        "NaN",
        "1e999",
        "9223372036854775808",
        "]",
        "// c\n1",
        "\xef\xbb\xbf[]",
        "{\"a\\u0000\":1}",
        "\"\x01\"",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *json = NULL;
        struct err err;
        assert_fails(json_parse(bytes_text(bad[i]), &limits, &json, &err), err, ERR_BAD_INPUT);
        assert_null(json);
    }
    json_t *json;
    struct err err;
    assert_fails(json_parse(BYTES_OF("1"), &limits, &json, &err), err, ERR_BAD_INPUT);
}

static void limits_hold_before_anything_is_allocated(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    json_t *json;
    struct err err;
    (void)state;
    char *deep = repeated(owner, "", "[", 100000, "");
    assert_fails(json_parse(bytes_text(deep), &limits, &json, &err), err, ERR_TOO_LARGE);
    char *wide = repeated(owner, "[", "1,", 1000, "1]");
    assert_fails(json_parse(bytes_text(wide), &limits, &json, &err), err, ERR_TOO_LARGE);
    struct bytes huge = {(const uint8_t *)mem_array(owner, char, 20 << 20), 20 << 20};
    assert_fails(json_parse(huge, &limits, &json, &err), err, ERR_TOO_LARGE);
}

static void brackets_inside_of_strings_do_not_count(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct err err;
    (void)state;
    char *text = repeated(owner, "[\"\\\"", "[{,", 2000, "\\\\\"]");
    assert_works(json_parse(bytes_text(text), &limits, &json, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_is_read_and_written),
        cmocka_unit_test(the_canonical_text_does_not_depend_on_order_or_space),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(limits_hold_before_anything_is_allocated),
        cmocka_unit_test(brackets_inside_of_strings_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
