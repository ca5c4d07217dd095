/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/config.h"

struct options {
    char *name;
    int64_t port;
    bool is_open;
    int level;
};

static const char *const levels[] = {"low", "high", NULL};
static const struct field server[] = {
    TEXT_FIELD(struct options, name, 0, .lowest = 1, .highest = 10),
    INTEGER_FIELD(struct options, port, 0, .lowest = 1, .highest = 65535),
};
static const struct field log_rows[] = {
    BOOLEAN_AS("open", struct options, is_open, 0),
    ENUM_FIELD(struct options, level, 0, levels),
};
static const struct config_section sections[] = {{"server", FIELDS(server)},
                                                 {"log", FIELDS(log_rows)}};

static void a_file_fills_the_options(void **state)
{
    static const char text[] = "# comment\r\n\n[server]\r\nname =  a b \r\n ; other comment\n"
                               "port=8443\n[log]\n  open = yes\nlevel=high";
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct options options = {.port = 1};
    struct err err;
    (void)state;
    assert_works(config_parse(owner, text, sections, COUNT(sections), &options, &err), err);
    assert_string_equal(options.name, "a b");
    assert_int_equal(options.port, 8443);
    assert_true(options.is_open);
    assert_int_equal(options.level, 1);
    assert_works(config_parse(owner, "", sections, COUNT(sections), &options, &err), err);
}

static void mistakes_name_their_line(void **state)
{
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"name = x", "line 1"},
        {"[other]", "line 1: unknown section"},
        {"\n[server]\nother = 1", "line 3: [server] has no key"},
        {"[server]\nopen = yes", "line 2"},
        {"[server]\nport = 1\nport = 2", "line 3: 'port' stands twice"},
        {"[server]\nport = 0", "line 2: port must be 1 to 65535"},
        {"[server]\nport = x", "line 2"},
        {"[server]\nport", "line 2: expected 'key = value'"},
        {"[server]\nname =", "line 2"},
        {"[log]\nopen = maybe", "line 2: 'maybe' is not yes or no"},
        {"[log]\nlevel = medium", "line 2: level must be low or high"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct options options = {.port = 1};
        struct err err;
        assert_fails(config_parse(owner, bad[i].text, sections, COUNT(sections), &options, &err),
                     err, ERR_BAD_INPUT);
        if (strncmp(err.text, bad[i].part, strlen(bad[i].part)) != 0)
            fail_msg("'%s' does not begin with '%s'", err.text, bad[i].part);
    }
}

static void an_assignment_sets_one_option(void **state)
{
    static const char *const bad[] = {
        "",           "port=1",       "server.port", "other.port=1", "server.other=1",
        "server=a.b", "server.port=x"};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct options options = {.port = 1};
    struct err err;
    (void)state;
    assert_works(config_set(owner, "server.port=5", sections, COUNT(sections), &options, &err),
                 err);
    assert_int_equal(options.port, 5);
    assert_works(config_set(owner, "server.name=a.b=c", sections, COUNT(sections), &options, &err),
                 err);
    assert_string_equal(options.name, "a.b=c");
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(config_set(owner, bad[i], sections, COUNT(sections), &options, &err), err,
                     ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_fills_the_options),
        cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(an_assignment_sets_one_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
