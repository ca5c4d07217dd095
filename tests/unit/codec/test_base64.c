/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/base64.h"

#define LIMIT 64

static void every_length_comes_back(void **state)
{
    uint8_t raw[40];
    struct err err;
    (void)state;
    for (size_t size = 0; size < sizeof(raw); size++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        for (size_t i = 0; i < size; i++)
            raw[i] = (uint8_t)(i * 37 + size);
        struct bytes in = {raw, size}, back;
        assert_works(base64_decode(owner, bytes_text(base64_encode(owner, in)), LIMIT, &back, &err),
                     err);
        assert_true(bytes_equal(in, back));
        assert_works(
            base64url_decode(owner, bytes_text(base64url_encode(owner, in)), LIMIT, &back, &err),
            err);
        assert_true(bytes_equal(in, back));
    }
}

static void the_vectors_of_rfc_4648_hold(void **state)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++)
        assert_string_equal(base64_encode(owner, bytes_text(vectors[i][0])), vectors[i][1]);
    assert_string_equal(base64url_encode(owner, (struct bytes){(const uint8_t *)"\xfb\xff", 2}),
                        "-_8");
}

static void the_strict_reading_refuses_every_other_spelling(void **state)
{
    static const char *const bad[] = {
        "Zg", "Zg=",  "Zg===", "Z",        "Zh==",     "Zm9=", "Zm 9v",  "Zm9v\n",
        "=",  "====", "Zm9v=", "Zm9v====", "Zg==Zg==", "-_8=", "Zm9\xc3"};
    struct bytes out = NO_BYTES;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(base64_decode(NULL, bytes_text(bad[i]), LIMIT, &out, &err), err,
                     ERR_BAD_INPUT);
    assert_fails(base64url_decode(NULL, bytes_text("Zg=="), LIMIT, &out, &err), err, ERR_BAD_INPUT);
    assert_fails(base64url_decode(NULL, bytes_text("+/8"), LIMIT, &out, &err), err, ERR_BAD_INPUT);
    assert_null(out.data);
}

static void the_limit_is_on_what_comes_out(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    (void)state;
    assert_works(base64_decode(owner, bytes_text("Zm9v"), 3, &out, &err), err);
    assert_fails(base64_decode(owner, bytes_text("Zm9v"), 2, &out, &err), err, ERR_TOO_LARGE);
    assert_fails(base64_decode(owner, bytes_text("Zm9v"), 0, &out, &err), err, ERR_TOO_LARGE);
}

static void the_lenient_reading_takes_what_scep_clients_send(void **state)
{
    static const char *const good[] = {"+/8=", "-_8=", " /8=", "+/8", "+\r\n/8=\n", "+/9="};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_works(base64_decode_lenient(owner, bytes_text(good[i]), LIMIT, &out, &err), err);
        assert_true(bytes_equal(out, (struct bytes){(const uint8_t *)"\xfb\xff", 2}));
    }
    assert_fails(base64_decode_lenient(owner, bytes_text("+/8=x"), LIMIT, &out, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(base64_decode_lenient(owner, bytes_text("%2B"), LIMIT, &out, &err), err,
                 ERR_BAD_INPUT);
}

static void white_space_is_skipped_where_it_may_stand(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    (void)state;
    assert_works(
        base64_decode_spaced(owner, bytes_text("\n\tZm\n\t9v Yg = =\n"), LIMIT, &out, &err), err);
    assert_true(bytes_equal(out, bytes_text("foob")));
    assert_fails(base64_decode_spaced(owner, bytes_text("Zg"), LIMIT, &out, &err), err,
                 ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(the_vectors_of_rfc_4648_hold),
        cmocka_unit_test(the_strict_reading_refuses_every_other_spelling),
        cmocka_unit_test(the_limit_is_on_what_comes_out),
        cmocka_unit_test(the_lenient_reading_takes_what_scep_clients_send),
        cmocka_unit_test(white_space_is_skipped_where_it_may_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
