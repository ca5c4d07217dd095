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
        {"NAME", "name", 0}, {"SAFE", "safe", 0}, {"COUNT", "count", 0}, {"MORE", "more", 0}};
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at)
    json_t *items = json_of("[{\"name\": \"Z\\u00fcrich\", \"safe\": true, \"count\": 3},"
                            "{\"name\": \"\\u65e5\\u672c\", \"safe\": false, \"count\": null},"
                            "{\"name\": \"\", \"more\": {\"a\": [1]}}]");
    struct buffer out;
    (void)state;
    buffer_init(&out, owner, 4096);
    show_table(&out, items, columns, 0);
    assert_string_equal(buffer_string(&out), "NAME    SAFE  COUNT  MORE\n"
                                             "Z\u00fcrich  yes   3      -\n"
                                             "\u65e5\u672c    no    -      -\n"
                                             "-       -     -      a: (1)\n");
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

static void wide_columns_are_for_who_asks(void **state)
{
    static const struct column columns[COMMAND_COLUMNS_MAX] = {{"A", "a", 0},
                                                               {"B", "b", COLUMN_WIDE}};
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at) json_t *items = json_of("[{\"a\": 1, \"b\": 2}]");
    struct buffer out;
    (void)state;
    buffer_init(&out, owner, 4096);
    show_table(&out, items, columns, 0);
    show_table(&out, items, columns, SHOW_WIDE);
    assert_string_equal(buffer_string(&out), "A\n1\nA  B\n1  2\n");
}

static void details_are_words(void **state)
{
    static const char *const cases[][2] = {
        {"[]", "-"},
        {"{}", "-"},
        {"{\"reason\": \"the password is wrong\", \"count\": 2}",
         "reason: the password is wrong, count: 2"},
        {"{\"a\": [\"b\", {\"c\": null}], \"d\": false}", "a: (b, (c: -)), d: no"},
        {"{\"e\\u009b\": \"\\u202e\"}", "e?: ?"},
    };
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(json_decref_at) json_t *json = json_of(cases[i][0]);
        assert_string_equal(show_text(owner, json), cases[i][1]);
    }
}

static void what_does_not_show_is_an_escape(void **state)
{
    static const char text[] = "[\"\\u009b31m\", \"\\u202egnp\", \"\\u007f\", \"\\u00e9\", "
                               "\"\\udb40\\udc01\", \"\\ud83d\\udcf1\"]";
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at) json_t *json = json_of(text);
    struct buffer yaml, out;
    (void)state;
    buffer_init(&out, owner, 4096);
    buffer_init(&yaml, owner, 4096);
    show_json(&out, json);
    assert_string_equal(buffer_string(&out),
                        "[\n  \"\\u009b31m\",\n  \"\\u202egnp\",\n  \"\\u007f\",\n  "
                        "\"\u00e9\",\n  \"\\udb40\\udc01\",\n  \"\U0001f4f1\"\n]\n");
    show_yaml(&yaml, json);
    assert_string_equal(buffer_string(&yaml),
                        "- \"\\u009b31m\"\n- \"\\u202egnp\"\n- \"\\u007f\"\n- \"\u00e9\"\n"
                        "- \"\\U000e0001\"\n- \"\U0001f4f1\"\n");
}

static void a_fingerprint_is_as_openssl_shows_it(void **state)
{
    static const char shown[] = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
                                "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:FF";
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    (void)state;
    assert_string_equal(show_fingerprint(owner, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="),
                        shown);
    assert_string_equal(
        show_fingerprint(owner, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"),
        shown);
    assert_string_equal(show_fingerprint(owner, "none\033"), "none?");
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
                                             "x         -\n");
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
        cmocka_unit_test(wide_columns_are_for_who_asks),
        cmocka_unit_test(details_are_words),
        cmocka_unit_test(what_does_not_show_is_an_escape),
        cmocka_unit_test(a_fingerprint_is_as_openssl_shows_it),
        cmocka_unit_test(an_object_has_a_line_per_member),
        cmocka_unit_test(yaml_says_what_the_json_says),
        cmocka_unit_test(states_have_colours_only_when_asked),
    };
    return setlocale(LC_CTYPE, "C.UTF-8") ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
