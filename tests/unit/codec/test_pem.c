/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/base64.h"

#define LIMIT 1024

static void a_block_comes_back(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    uint8_t raw[200];
    struct bytes in = BYTES_OF(raw), out;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)i;
    char *pem = pem_encode(owner, "CERTIFICATE", in);
    assert_works(pem_decode(owner, bytes_text(pem), "CERTIFICATE", LIMIT, &out, &err), err);
    assert_true(bytes_equal(in, out));
    assert_works(pem_decode(owner, bytes_text(pem), NULL, LIMIT, &out, &err), err);
    assert_true(bytes_equal(in, out));
    for (const char *line = pem, *end; (end = strchr(line, '\n')); line = end + 1)
        assert_true(end - line <= 64);
}

static void other_labels_and_text_around_are_passed_over(void **state)
{
    static const char text[] = "subject=a\n-----BEGIN X509 CRL-----\r\nZm9v\r\n"
                               "-----END X509 CRL-----\r\nmore\n"
                               "-----BEGIN CERTIFICATE-----\r\nZm9v\r\nYmFy\r\n"
                               "-----END CERTIFICATE-----";
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    (void)state;
    assert_works(pem_decode(owner, bytes_text(text), "CERTIFICATE", LIMIT, &out, &err), err);
    assert_true(bytes_equal(out, bytes_text("foobar")));
    assert_works(pem_decode(owner, bytes_text(text), NULL, LIMIT, &out, &err), err);
    assert_true(bytes_equal(out, bytes_text("foo")));
    assert_fails(pem_decode(owner, bytes_text(text), "PRIVATE KEY", LIMIT, &out, &err), err,
                 ERR_NOT_FOUND);
}

static void broken_blocks_are_refused(void **state)
{
    static const char *const bad[] = {
        "-----BEGIN A-----\nZm9v\n",
        "-----BEGIN A-----\nZm9v-----END A-----\n",
        "-----BEGIN A-----\nZm9v\n-----END B-----\n",
        "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END A-----\n",
        "-----BEGIN A-----\nZm9\n-----END A-----\n",
    };
    struct bytes out;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(pem_decode(NULL, bytes_text(bad[i]), "A", LIMIT, &out, &err), err,
                     ERR_BAD_INPUT);
    assert_fails(pem_decode(NULL, NO_BYTES, "A", LIMIT, &out, &err), err, ERR_NOT_FOUND);
    assert_fails(pem_decode(NULL, bytes_text("x-----BEGIN A-----\n"), "A", LIMIT, &out, &err), err,
                 ERR_NOT_FOUND);
    assert_fails(pem_decode(NULL, bytes_text("-----BEGIN "), NULL, LIMIT, &out, &err), err,
                 ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_comes_back),
        cmocka_unit_test(other_labels_and_text_around_are_passed_over),
        cmocka_unit_test(broken_blocks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
