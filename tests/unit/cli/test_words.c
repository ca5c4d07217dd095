/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/words.h"

#include "base/text.h"
#include "cli/help.h"
#include "policy/comply.h"
#include "tests/test.h"

#define TYPED_MAX 12

/* What is typed behind "muster", cut at spaces; "_" stands for an empty argument. */
static bool parse(void *owner, const char *line, struct words *out, struct err *err)
{
    const char **arguments = mem_array(owner, const char *, TYPED_MAX);
    size_t count = 0;
    char *copy = mem_text(owner, line);
    char *rest = NULL;
    for (char *at = strtok_r(copy, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
        arguments[count++] = text_equal(at, "_") ? "" : at;
    return words_parse(owner, count, arguments, out, err);
}

static void commands_names_and_options_are_told_apart(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
    struct err err = {0};
    struct words words;
    (void)state;
    assert_works(parse(owner, "device --yes retire a --reason=lost b -ojson -- -c", &words, &err),
                 err);
    assert_string_equal(words.command->words, "device retire");
    assert_int_equal(words.hole_count, 3);
    assert_string_equal(words.holes[0], "a");
    assert_string_equal(words.holes[2], "-c");
    assert_string_equal(words_option(&words, OPTION_REASON), "lost");
    assert_string_equal(words_option(&words, OPTION_OUTPUT), "json");
    assert_true(words_has(&words, OPTION_YES));
    assert_null(words_option(&words, OPTION_PIN));
}

static void an_option_may_repeat_where_its_row_says_so(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
    struct err err = {0};
    struct words words;
    (void)state;
    assert_works(parse(owner, "policy create P --set a=1 --set b=2", &words, &err), err);
    assert_int_equal(words.given_count[OPTION_SET], 2);
    assert_string_equal(words.given[OPTION_SET][0], "a=1");
    assert_string_equal(words.given[OPTION_SET][1], "b=2");
    assert_fails(parse(owner, "policy create --name a --name b", &words, &err), err, ERR_BAD_INPUT);
}

static void wrong_usage_is_told_with_what_is_right(void **state)
{
    static const char *const cases[][2] = {
        {"frobnicate", "there is no command \"frobnicate\"; try muster --help"},
        {"device frob", "there is no command \"device frob\"; try muster device --help"},
        {"device get", "usage: muster device get DEVICE"},
        {"device get a b", "usage: muster device get DEVICE"},
        {"device wipe", "usage: muster device wipe DEVICE"},
        {"explain", "usage: muster explain DEVICE [SETTING]"},
        {"explain a b c", "usage: muster explain DEVICE [SETTING]"},
        {"logout now", "usage: muster logout"},
        {"device list --frob", "there is no option --frob"},
        {"device list --frob=1", "there is no option --frob"},
        {"device list -z", "there is no option -z"},
        {"device list --band 3", "muster device list takes no --band"},
        {"device list --limit", "--limit needs a value: NUMBER"},
        {"device list --all=yes", "--all takes no value"},
        {"device list -o xml", "--output is table, wide, json or yaml"},
        {"device list --limi 3", "there is no option --limi"},
        {"device list --compliance bogus",
         "--compliance is not_evaluated, not_applicable, compliant, in_grace_period, unknown, "
         "non_compliant or error"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
        struct err err = {0};
        struct words words;
        assert_fails(parse(owner, cases[i][0], &words, &err), err, ERR_BAD_INPUT);
        assert_string_equal(err.text, cases[i][1]);
    }
}

static void help_is_for_what_was_typed(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"--help", ""},
        {"help", ""},
        {"device --help", "device"},
        {"help device wipe", "device wipe"},
        {"device wipe x -h", "device wipe"},
        {"apple push-certificate -h", "apple push-certificate"},
        {"frob -h", ""},
        {"device", "device"},
        {"apple push-certificate", "apple push-certificate"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
        struct err err = {0};
        struct words words;
        assert_works(parse(owner, cases[i][0], &words, &err), err);
        assert_null(words.command);
        assert_string_equal(words.topic, cases[i][1]);
    }
}

static void help_knows_whether_it_was_asked_for(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
    struct err err = {0};
    struct words words;
    (void)state;
    assert_works(parse(owner, "device", &words, &err), err);
    assert_false(words.asks_help);
    assert_works(parse(owner, "help device", &words, &err), err);
    assert_true(words.asks_help);
}

static void the_version_is_an_option_too(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
    struct err err = {0};
    struct words words;
    (void)state;
    assert_works(parse(owner, "--version", &words, &err), err);
    assert_string_equal(words.command->words, "version");
}

/* The first option that a command needs, as typed. */
static const char *needed(void *owner, const struct command_row *row)
{
    for (size_t i = OPTION_FIRST_OWN; i < OPTION_COUNT; i++)
        if (row->needs & UINT64_C(1) << i)
            return mem_format(owner, " --%s=%s", option_rows[i].name,
                              option_rows[i].choices ? option_rows[i].choices[0] : "x");
    return "";
}

static void every_command_can_be_typed_and_is_in_the_help(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 262144);
    struct buffer help;
    (void)state;
    buffer_init(&help, owner, 131072);
    help_write(&help, "");
    const struct command_row *row = NULL;
    for (size_t i = 0; (row = command_row_at(i)); i++) {
        struct err err = {0};
        struct words words;
        const char *line =
            mem_format(owner, "%s%s%s", row->words,
                       !row->holes || row->holes[0] == '[' ? ""
                       : strstr(row->holes, " ASSIGNMENT") || strstr(row->holes, " CHANNEL") ||
                               strstr(row->holes, " NAME")
                           ? " a b"
                           : " a",
                       needed(owner, row));
        assert_works(parse(owner, line, &words, &err), err);
        assert_ptr_equal(words.command, row);
        assert_non_null(strstr(buffer_string(&help), row->words));
        assert_true(row->run || (row->method && row->path && row->path[0] == '/'));
        if (row->flags & COMMAND_ASKS)
            assert_non_null(strstr(row->consequence, "%s"));
        if (row->flags & COMMAND_SILENT)
            assert_non_null(strstr(row->done, "%s"));
        if (row->flags & COMMAND_PLAIN)
            assert_non_null(row->columns[0].name);
    }
    assert_non_null(strstr(buffer_string(&help), "\n\nOptions:\n"));
}

static void durations_are_numbers_with_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"90s", 90}, {"90m", 5400},   {"12h", 43200}, {"7d", 604800}, {"4w", 2419200},
                 {"0h", 0},   {"12", 0},       {"h", 0},       {"", 0},        {"-1h", 0},
                 {"1.5h", 0}, {"9999999d", 0}, {"1 h", 0},     {"1y", 0},      {"12hh", 0}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        int64_t seconds = -1;
        if (cases[i].seconds > 0) {
            assert_works(duration_parse(cases[i].text, &seconds, &err), err);
            assert_int_equal(seconds, cases[i].seconds);
        } else {
            assert_fails(duration_parse(cases[i].text, &seconds, &err), err, ERR_BAD_INPUT);
            assert_int_equal(seconds, -1);
        }
    }
}

static void a_duration_out_of_range_names_the_limits(void **state)
{
    static const char *const cases[][2] = {{"0d", "1d to 3660d"}, {"99999w", "1w to 522w"}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        int64_t seconds;
        assert_fails(duration_parse(cases[i][0], &seconds, &err), err, ERR_BAD_INPUT);
        assert_non_null(strstr(err.text, cases[i][1]));
    }
}

static void what_a_command_needs_is_asked_for_before_the_server_is(void **state)
{
    static const struct {
        const char *words[6], *said; /* NULL: right */
    } cases[] = {
        {{"device", "lost-mode", "enable", "x"}, "--message TEXT or --phone NUMBER"},
        {{"device", "lost-mode", "enable", "x", "--phone=1"}, NULL},
        {{"certificate", "challenge"}, "--subject SUBJECT"},
        {{"certificate", "challenge", "--subject=CN=a"}, NULL},
        {{"device", "rename", "x"}, "DEVICE NAME"},
        {{"device", "rename", "x", "y"}, NULL},
        {{"account", "create", "x"}, "--role ROLE"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
        struct err err = {0};
        struct words words;
        size_t count = 0;
        while (count < COUNT(cases[i].words) && cases[i].words[count])
            count++;
        bool right = words_parse(owner, count, cases[i].words, &words, &err);
        assert_int_equal(right, cases[i].said == NULL);
        assert_true(right || strstr(err.text, cases[i].said));
    }
}

static void every_act_on_a_device_finds_it_first(void **state)
{
    (void)state;
    const struct command_row *row = NULL;
    for (size_t i = 0; (row = command_row_at(i)); i++) {
        bool acts = row->method && !text_equal(row->method, "GET");
        if (acts && text_starts(row->path, "/devices/{}"))
            assert_true(row->flags & COMMAND_DEVICE);
    }
}

/* The program shares no code with the server: the words must. */
static void the_states_that_can_be_asked_for_are_those_of_the_server(void **state)
{
    const char *const *choices = option_rows[OPTION_COMPLIANCE].choices;
    (void)state;
    for (size_t i = 0; choices[i] || compliance_state_names[i]; i++) {
        assert_non_null(choices[i]);
        assert_non_null(compliance_state_names[i]);
        assert_string_equal(choices[i], compliance_state_names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_names_and_options_are_told_apart),
        cmocka_unit_test(an_option_may_repeat_where_its_row_says_so),
        cmocka_unit_test(wrong_usage_is_told_with_what_is_right),
        cmocka_unit_test(help_is_for_what_was_typed),
        cmocka_unit_test(help_knows_whether_it_was_asked_for),
        cmocka_unit_test(the_version_is_an_option_too),
        cmocka_unit_test(a_duration_out_of_range_names_the_limits),
        cmocka_unit_test(what_a_command_needs_is_asked_for_before_the_server_is),
        cmocka_unit_test(every_act_on_a_device_finds_it_first),
        cmocka_unit_test(the_states_that_can_be_asked_for_are_those_of_the_server),
        cmocka_unit_test(every_command_can_be_typed_and_is_in_the_help),
        cmocka_unit_test(durations_are_numbers_with_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
