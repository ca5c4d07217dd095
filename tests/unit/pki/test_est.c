/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "pki/est.h"
#include "tests/test.h"

static void a_password_is_read_whatever_the_name(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const char *const rows[][2] = {{"Basic ZXN0OlNFQ1JFVA==", "SECRET"},
                                          {"basic OlNFQ1JFVA==", "SECRET"},
                                          {"BASIC ZTphOmI=", "a:b"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *password;
        struct err err;
        assert_works(est_password_parse(owner, rows[i][0], &password, &err), err);
        assert_string_equal(password, rows[i][1]);
    }
}

static void what_holds_no_password_is_refused(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const char *const bad[] = {NULL,
                                      "",
                                      "Basic",
                                      "Basic ",
                                      "Bearer ZXN0OlNFQ1JFVA==",
                                      "Basic ZXN0",
                                      "Basic ZXN0Og==",
                                      "Basic ZXN0OlNFQ1JFVA", /* no padding */
                                      "Basic  ZXN0OlNFQ1JFVA==",
                                      "Basic ZToAYQ==" /* a zero byte */};
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *password = NULL;
        struct err err;
        assert_fails(est_password_parse(owner, bad[i], &password, &err), err, ERR_UNAUTHENTICATED);
        assert_null(password);
    }
}

static void bodies_are_bounded(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct certificate_request request;
    struct err err;
    struct bytes huge = {mem_array(owner, uint8_t, EST_BODY_MAX + 1), EST_BODY_MAX + 1};
    assert_fails(est_request_parse(owner, huge, &request, &err), err, ERR_TOO_LARGE);
    assert_fails(est_request_parse(owner, NO_BYTES, &request, &err), err, ERR_BAD_INPUT);
    assert_fails(est_request_parse(owner, bytes_text("MAA="), &request, &err), err, ERR_BAD_INPUT);
    assert_fails(est_request_parse(owner, bytes_text("M A"), &request, &err), err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_read_whatever_the_name),
        cmocka_unit_test(what_holds_no_password_is_refused),
        cmocka_unit_test(bodies_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
