/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "cli/plain.h"
#include "cli/target.h"
#include "tests/test.h"

static void names_are_escaped_into_the_path(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
    const char *const names[] = {"device/Anna's iPhone", "../x?y#z"};
    (void)state;
    assert_string_equal(api_path(owner, "/devices/{}/commands", names, 1),
                        "/devices/Anna%27s%20iPhone/commands");
    assert_string_equal(api_path(owner, "/policies/{}/assignments/{}", names, 2),
                        "/policies/Anna%27s%20iPhone/assignments/..%2Fx%3Fy%23z");
    assert_string_equal(api_path(owner, "/devices", NULL, 0), "/devices");
    assert_string_equal(api_query(owner, "/devices", "q", "a&b"), "/devices?q=a%26b");
    assert_string_equal(api_query(owner, "/devices?limit=1", "q", "x"), "/devices?limit=1&q=x");
    assert_string_equal(api_query(owner, "/devices", "q", NULL), "/devices");
}

static void a_problem_document_becomes_an_error(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_kind kind;
        const char *text, *remedy;
    } cases[] = {
        {404, "{\"title\":\"Not found\",\"detail\":\"no such device\",\"request_id\":\"r1\"}",
         ERR_NOT_FOUND, "no such device (request r1)", NULL},
        {403, "{\"detail\":\"no\",\"remedy\":\"ask\"}", ERR_FORBIDDEN, "no", "ask"},
        {401, "{\"detail\":\"sign in first\"}", ERR_UNAUTHENTICATED, "sign in first",
         "muster login"},
        {409, "{\"title\":\"Conflict\"}", ERR_CONFLICT, "Conflict", NULL},
        {412, "{}", ERR_PRECONDITION, "the server gave no reason", NULL},
        {413, "{}", ERR_TOO_LARGE, "the server gave no reason", NULL},
        {400, "{\"detail\":7}", ERR_BAD_INPUT, "the server gave no reason", NULL},
        {503, "<html>", ERR_UNAVAILABLE, "the server answered 503", NULL},
        {502, "", ERR_UNAVAILABLE, "the server answered 502", NULL},
        {500, "[]", ERR_INTERNAL, "the server gave no reason", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
        struct err err = {0};
        assert_fails(api_problem(owner, cases[i].status, bytes_text(cases[i].body), &err), err,
                     cases[i].kind);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.remedy == NULL, cases[i].remedy == NULL);
        if (err.remedy)
            assert_string_equal(err.remedy, cases[i].remedy);
    }
}

static void each_kind_of_error_has_its_exit_code(void **state)
{
    static const struct {
        enum err_kind kind;
        int code;
    } cases[] = {
        {ERR_NOT_FOUND, EXIT_NOT_FOUND},    {ERR_FORBIDDEN, EXIT_DENIED},
        {ERR_UNAUTHENTICATED, EXIT_DENIED}, {ERR_CONFLICT, EXIT_CONFLICT},
        {ERR_PRECONDITION, EXIT_CONFLICT},  {ERR_UNAVAILABLE, EXIT_ERROR},
        {ERR_BAD_INPUT, EXIT_ERROR},        {ERR_INTERNAL, EXIT_ERROR},
    };
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 8192);
    struct cli cli = {.owner = owner};
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)err_set(&err, cases[i].kind, "as wanted");
        assert_int_equal(cli_fail(&cli, &err), cases[i].code);
    }
    assert_int_equal(cli_usage(&cli, &err), EXIT_USAGE);
    cli.is_late = true;
    assert_int_equal(cli_fail(&cli, &err), EXIT_TIMEOUT);
    assert_int_equal(plain_result(3, 0, EXIT_ERROR), EXIT_DONE);
    assert_int_equal(plain_result(3, 2, EXIT_ERROR), EXIT_PARTIAL);
    assert_int_equal(plain_result(3, 3, EXIT_DENIED), EXIT_DENIED);
}

static const char *const requested[] = {"device", "wipe",  "x",     "--reason",
                                        "lost",   "--pin", "123456"};

static void a_body_is_made_of_the_row_and_the_options(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at) json_t *body = NULL;
    struct words words;
    struct err err = {0};
    const struct cli cli = {.owner = owner, .words = &words, .now = 1800000000};
    (void)state;
    assert_works(words_parse(owner, COUNT(requested), requested, &words, &err), err);
    assert_works(plain_body(&cli, "x", &body, &err), err);
    assert_string_equal(json_canonical(owner, body),
                        "{\"kind\":\"wipe\",\"pin\":\"123456\",\"reason\":\"lost\"}");
    assert_fails(target_can_ask(&cli, &err), err, ERR_BAD_INPUT); /* nobody can be asked */
}

static void a_duration_becomes_a_time(void **state)
{
    static const char *const typed[] = {"token", "create", "ci", "--expires", "1h"};
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    CLEANUP(json_decref_at) json_t *body = NULL;
    struct words words;
    struct err err = {0};
    const struct cli cli = {.owner = owner, .words = &words, .now = 1800000000};
    (void)state;
    assert_works(words_parse(owner, COUNT(typed), typed, &words, &err), err);
    assert_works(plain_body(&cli, "ci", &body, &err), err);
    assert_string_equal(json_canonical(owner, body),
                        "{\"expires_at\":\"2027-01-15T09:00:00Z\",\"name\":\"ci\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_escaped_into_the_path),
        cmocka_unit_test(a_problem_document_becomes_an_error),
        cmocka_unit_test(each_kind_of_error_has_its_exit_code),
        cmocka_unit_test(a_body_is_made_of_the_row_and_the_options),
        cmocka_unit_test(a_duration_becomes_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
