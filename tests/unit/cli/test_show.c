/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <locale.h>

#include "tests/test.h"

static const struct json_limits limits = {4096, 16, 512};

static json_t *json_of(const char *text)
{
    struct err err = {0};
    json_t *json = NULL;
    assert_works(json_parse(bytes_text(text), &limits, &json, &err), err);
    return json;
}

static void a_table_lines_up_by_what_is_seen(void **state)
{
    static const struct column columns[COMMAND_COLUMNS_MAX] = {
        {"NAME", "name"}, {"SAFE", "safe"}, {"COUNT", "count"}, {"MORE", "more"}};
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at)
    json_t *items = json_of("[{\"name\": \"Z\\u00fcrich\", \"safe\": true, \"count\": 3},"
                            "{\"name\": \"\\u65e5\\u672c\", \"safe\": false, \"count\": null},"
                            "{\"name\": \"\", \"more\": {\"a\": [1]}}]");
    struct buffer out;
    (void)state;
    buffer_init(&out, owner, 4096);
    show_table(&out, items, columns, false);
    assert_string_equal(buffer_string(&out), "NAME    SAFE  COUNT  MORE\n"
                                             "Z\u00fcrich  yes   3      -\n"
                                             "\u65e5\u672c    no    -      -\n"
                                             "-       -     -      {\"a\":[1]}\n");
}

static void nothing_from_a_device_can_drive_the_terminal(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"\033[31mred\033[0m", "?[31mred?[0m"},
        {"a\rb\nc\td\x7f", "a?b?c?d?"},
        {"\xc2\x9b"
         "31m",
         "?31m"}, /* C1 control sequence introducer */
        {"a\xe2\x80\xae"
         "gnp",
         "a?gnp"},                          /* U+202E, right to left */
        {"\xe2\x80\x8b\xef\xbb\xbf", "??"}, /* zero width */
        {"\xff\xfe", "??"},                 /* not UTF-8 */
        {"caf\xc3\xa9 \xf0\x9f\x93\xb1", "caf\xc3\xa9 \xf0\x9f\x93\xb1"},
    };
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(show_safe(owner, cases[i][0]), cases[i][1]);
}

static void an_object_has_a_line_per_member(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at)
    json_t *object = json_of("{\"id\": \"1\", \"settings\": {\"a.b\": 8, \"c\": true}, \"x\": {}}");
    struct buffer out;
    (void)state;
    buffer_init(&out, owner, 4096);
    show_object(&out, object);
    assert_string_equal(buffer_string(&out), "id        1\n"
                                             "settings\n"
                                             "  a.b  8\n"
                                             "  c    yes\n"
                                             "x         {}\n");
}

static void yaml_says_what_the_json_says(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "{}\n"},
        {"[]", "[]\n"},
        {"{\"a\": 1, \"b\": null, \"c\": true, \"k\": 0.5}", "a: 1\nb: null\nc: true\nk: 0.5\n"},
        {"{\"a\": {\"b\": {\"c\": \"x\"}}, \"k\": {}}", "a:\n  b:\n    c: x\nk: {}\n"},
        {"{\"items\": [{\"a\": 1, \"b\": [2, 3]}, {\"a\": []}]}",
         "items:\n  - a: 1\n    b:\n      - 2\n      - 3\n  - a: []\n"},
        {"[[1, [2]], {}]", "- - 1\n  - - 2\n- {}\n"},
        {"[\"yes\", \"No\", \"null\", \"on\", \"y\", \"true\"]",
         "- \"yes\"\n- \"No\"\n- \"null\"\n- \"on\"\n- \"y\"\n- \"true\"\n"},
        {"[\"1\", \"1e3\", \"0x1\", \"-\", \"2026-01-31\", \"17.4\", \"\"]",
         "- \"1\"\n- \"1e3\"\n- \"0x1\"\n- \"-\"\n- \"2026-01-31\"\n- \"17.4\"\n- \"\"\n"},
        {"[\"a: b\", \"a #b\", \"a\\nb\", \"*a\", \"a b\", \"password.min_length\", \"a/b-c\"]",
         "- \"a: b\"\n- \"a #b\"\n- \"a\\nb\"\n- \"*a\"\n- \"a b\"\n- password.min_length\n- "
         "a/b-c\n"},
        {"{\"a b\": 1, \"1\": 2}", "\"a b\": 1\n\"1\": 2\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
        CLEANUP(json_decref_at) json_t *json = json_of(cases[i][0]);
        struct buffer out;
        buffer_init(&out, owner, 4096);
        show_yaml(&out, json);
        assert_string_equal(buffer_string(&out), cases[i][1]);
    }
}

static void states_have_colours_only_when_asked(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
    struct buffer out;
    (void)state;
    buffer_init(&out, owner, 4096);
    show_state(&out, "non_compliant", true);
    show_state(&out, "non_compliant", false);
    show_state(&out, "other", true);
    assert_string_equal(buffer_string(&out), "\033[31mnon_compliant\033[0mnon_compliantother");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_lines_up_by_what_is_seen),
        cmocka_unit_test(nothing_from_a_device_can_drive_the_terminal),
        cmocka_unit_test(an_object_has_a_line_per_member),
        cmocka_unit_test(yaml_says_what_the_json_says),
        cmocka_unit_test(states_have_colours_only_when_asked),
    };
    return setlocale(LC_CTYPE, "C.UTF-8") ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
