/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/der.h"
#include "tests/test.h"

#define HEX(...) BYTES_OF(((const uint8_t[]){__VA_ARGS__}))

static void definite_elements_are_walked(void **state)
{
    (void)state;
    struct reader in = reader_of(HEX(0x30, 3, 2, 1, 5, 4, 0));
    struct der_element element = der_next(&in);
    assert_int_equal(element.tag, DER_SEQUENCE);
    assert_int_equal(element.whole.size, 5);
    assert_true(der_peek(&in, DER_OCTET_STRING));
    assert_int_equal(der_take(&in, DER_OCTET_STRING).size, 0);
    assert_true(reader_done(&in));
    assert_false(der_peek(&in, 0));
}

static void what_is_no_element_makes_the_reader_fail(void **state)
{
    (void)state;
    const struct bytes bad[] = {
        NO_BYTES,
        HEX(0x30),
        HEX(0x30, 2, 5),                         /* ends early */
        HEX(0x30, 0x80, 0, 0),                   /* indefinite */
        HEX(0x30, 0x85, 0, 0, 0, 0, 0),          /* a length of five bytes */
        HEX(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), /* four gigabytes */
        HEX(0x1f, 0x81, 0, 0),                   /* a tag in several bytes */
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(der_is_whole(bad[i]));
        struct reader in = reader_of(bad[i]);
        assert_int_equal(der_next(&in).whole.size, 0);
        assert_false(reader_ok(&in));
    }
    assert_false(der_is_whole(HEX(4, 1, 0, 0))); /* something behind it */
    struct reader in = reader_of(HEX(4, 1, 0));
    assert_null(der_take(&in, DER_INTEGER).data);
    assert_false(reader_ok(&in));
}

static void lengths_are_written_in_the_shortest_form(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const size_t sizes[] = {0, 127, 128, 255, 256, 65535, 65536};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct bytes content = {mem_array(owner, uint8_t, sizes[i] + 1), sizes[i]};
        struct bytes made = DER_MAKE(owner, DER_OCTET_STRING, content), again;
        struct err err;
        assert_true(der_is_whole(made));
        assert_works(der_normalise(owner, made, &again, &err), err);
        assert_true(bytes_equal(made, again));
    }
}

static void a_set_is_sorted(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes parts[] = {HEX(4, 1, 9), HEX(2, 1, 7), HEX(2, 1, 3), HEX(2, 2, 0, 0x80)};
    struct bytes set = der_make_set(owner, DER_SET, parts, COUNT(parts));
    assert_true(bytes_equal(set, HEX(0x31, 13, 2, 1, 3, 2, 1, 7, 2, 2, 0, 0x80, 4, 1, 9)));
}

static void streamed_ber_becomes_der(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes out;
    /* SEQUENCE (indefinite) { OCTET STRING in two pieces (indefinite), INTEGER with a long length }
     */
    struct bytes ber =
        HEX(0x30, 0x80, 0x24, 0x80, 4, 1, 'a', 4, 2, 'b', 'c', 0, 0, 2, 0x81, 1, 5, 0, 0);
    assert_works(der_normalise(owner, ber, &out, &err), err);
    assert_true(bytes_equal(out, HEX(0x30, 8, 4, 3, 'a', 'b', 'c', 2, 1, 5)));
}

static void ber_that_is_nonsense_is_refused(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes out;
    uint8_t deep[200], many[20004] = {0x30, 0x82, 0x4e, 0x20};
    for (size_t i = 0; i < sizeof(deep); i += 2)
        deep[i] = 0x30, deep[i + 1] = 0x80;
    for (size_t i = 4; i < sizeof(many); i += 2)
        many[i] = 5, many[i + 1] = 0;
    const struct bytes bad[] = {
        HEX(0x30, 0x80, 2, 1, 5),          /* no end */
        HEX(0x30, 0x80, 0, 1, 0),          /* an end that is none */
        HEX(4, 0x80, 0, 0),                /* a primitive of indefinite length */
        HEX(0x24, 0x80, 2, 1, 5, 0, 0),    /* a string made of integers */
        HEX(0x24, 4, 0x24, 2, 4, 0, 0, 0), /* trailing */
        HEX(0x30, 2, 0, 0),                /* end octets where none belong */
        BYTES_OF(deep),
        BYTES_OF(many),
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(der_normalise(owner, bad[i], &out, &err), err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definite_elements_are_walked),
        cmocka_unit_test(what_is_no_element_makes_the_reader_fail),
        cmocka_unit_test(lengths_are_written_in_the_shortest_form),
        cmocka_unit_test(a_set_is_sorted),
        cmocka_unit_test(streamed_ber_becomes_der),
        cmocka_unit_test(ber_that_is_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
