/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/uri.h"

static void escapes_are_decoded(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    char *out;
    struct err err;
    (void)state;
    assert_works(uri_decode(owner, bytes_text("a%20b+c%2f%C3%A9"), false, &out, &err), err);
    assert_string_equal(out, "a b+c/\xc3\xa9");
    assert_works(uri_decode(owner, bytes_text("a+b"), true, &out, &err), err);
    assert_string_equal(out, "a b");
    assert_works(uri_decode(owner, NO_BYTES, true, &out, &err), err);
    assert_string_equal(out, "");
}

static void malformed_escapes_are_refused(void **state)
{
    static const char *const bad[] = {"%", "%2", "a%2", "%zz", "%2g", "%00", "%ff", "%c3", "\xff"};
    char *out;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(uri_decode(NULL, bytes_text(bad[i]), false, &out, &err), err, ERR_BAD_INPUT);
}

static void a_query_becomes_pairs(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct uri_query query;
    struct err err;
    (void)state;
    assert_works(uri_query_parse(owner, bytes_text("operation=GetCACert&message=&&x&y=1%3D=2"), 8,
                                 &query, &err),
                 err);
    assert_int_equal(query.count, 4);
    assert_string_equal(uri_query_get(&query, "operation"), "GetCACert");
    assert_string_equal(uri_query_get(&query, "message"), "");
    assert_string_equal(uri_query_get(&query, "x"), "");
    assert_string_equal(uri_query_get(&query, "y"), "1==2");
    assert_null(uri_query_get(&query, "z"));
    assert_works(uri_query_parse(owner, NO_BYTES, 0, &query, &err), err);
    assert_int_equal(query.count, 0);
}

static void doubled_names_and_too_many_pairs_are_refused(void **state)
{
    struct uri_query query;
    struct err err;
    (void)state;
    assert_fails(uri_query_parse(NULL, bytes_text("a=1&b=2&%61=3"), 8, &query, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(uri_query_parse(NULL, bytes_text("a=1&b=2&c=3"), 2, &query, &err), err,
                 ERR_TOO_LARGE);
    assert_fails(uri_query_parse(NULL, bytes_text("a=%"), 2, &query, &err), err, ERR_BAD_INPUT);
}

static void what_is_encoded_comes_back(void **state)
{
    static const char text[] = "a-b.c_d~e /?#[]@!$&'()*+,;=%\"<>\\^`{|}\xc3\xa9\n";
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    char *out;
    struct err err;
    (void)state;
    char *encoded = uri_encode(owner, text);
    assert_null(strpbrk(encoded, " /?#&=+\"<>"));
    assert_works(uri_decode(owner, bytes_text(encoded), true, &out, &err), err);
    assert_string_equal(out, text);
    assert_string_equal(uri_encode(owner, "a b"), "a%20b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(malformed_escapes_are_refused),
        cmocka_unit_test(a_query_becomes_pairs),
        cmocka_unit_test(doubled_names_and_too_many_pairs_are_refused),
        cmocka_unit_test(what_is_encoded_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
