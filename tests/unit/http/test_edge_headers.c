/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "http/edge_headers.h"

#define BEGIN "-----BEGIN%20CERTIFICATE-----%0A"
#define END "-----END%20CERTIFICATE-----%0A"

static void an_escaped_certificate_is_decoded(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct bytes der;
    struct err err;
    (void)state;
    assert_works(edge_certificate_escaped(owner, BEGIN "MIIB%2B%2F%0A8%3D%0A" END, &der, &err),
                 err);
    assert_int_equal(der.size, 5);
    assert_memory_equal(der.data, "\x30\x82\x01\xfb\xff", 5);
    mem_free(owner);
}

static void what_is_not_one_escaped_certificate_is_refused(void **state)
{
    static const char *const values[] = {
        "",
        "AAAA",
        BEGIN END,
        BEGIN "AAAA%0A",
        BEGIN "AA!A%0A" END,
        BEGIN "AAAA%0A" END BEGIN "AAAA%0A" END,
        BEGIN "AAAA%0A" END "x",
        "x" BEGIN "AAAA%0A" END,
        BEGIN "AAAA%0" END,
        BEGIN "AA%00A%0A" END,
        ":AAAA:",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct bytes der = NO_BYTES;
        struct err err;
        assert_fails(edge_certificate_escaped(NULL, values[i], &der, &err), err, ERR_BAD_INPUT);
        assert_null(der.data);
    }
}

static void a_certificate_field_is_decoded(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct bytes der;
    struct err err;
    (void)state;
    assert_works(edge_certificate_field(owner, ":MIIB:", &der, &err), err);
    assert_int_equal(der.size, 3);
    mem_free(owner);
}

static void what_is_not_a_byte_sequence_is_refused(void **state)
{
    static const char *const values[] = {
        "", ":", "::", "MIIB", ":MIIB", "MIIB:", ":MI IB:", ":MIIB:, :MIIB:", "%3AMIIB%3A"};
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct bytes der = NO_BYTES;
        struct err err;
        assert_fails(edge_certificate_field(NULL, values[i], &der, &err), err, ERR_BAD_INPUT);
    }
}

static void a_certificate_above_the_limit_is_refused(void **state)
{
    static char value[20003];
    struct bytes der;
    struct err err;
    (void)state;
    memset(value, 'A', sizeof(value) - 1);
    value[0] = value[sizeof(value) - 2] = ':';
    assert_fails(edge_certificate_field(NULL, value, &der, &err), err, ERR_TOO_LARGE);
}

static void addresses_and_ids_hold_only_their_characters(void **state)
{
    (void)state;
    assert_true(edge_address_valid("192.0.2.1"));
    assert_true(edge_address_valid("2001:db8::1"));
    assert_false(edge_address_valid(""));
    assert_false(edge_address_valid("192.0.2.1, 10.0.0.1"));
    assert_true(edge_id_valid("0af7651916cd43dd"));
    assert_false(edge_id_valid("a b"));
    assert_false(
        edge_id_valid("0123456789012345678901234567890123456789012345678901234567890123456789"));
}

static void names_of_the_edge_are_reserved_in_any_case(void **state)
{
    (void)state;
    assert_true(edge_header_reserved("x-muster-anything"));
    assert_true(edge_header_reserved("CLIENT-CERT"));
    assert_true(edge_header_reserved("Client-Cert-Chain"));
    assert_false(edge_header_reserved("X-Must"));
    assert_false(edge_header_reserved("Host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_escaped_certificate_is_decoded),
        cmocka_unit_test(what_is_not_one_escaped_certificate_is_refused),
        cmocka_unit_test(a_certificate_field_is_decoded),
        cmocka_unit_test(what_is_not_a_byte_sequence_is_refused),
        cmocka_unit_test(a_certificate_above_the_limit_is_refused),
        cmocka_unit_test(addresses_and_ids_hold_only_their_characters),
        cmocka_unit_test(names_of_the_edge_are_reserved_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
