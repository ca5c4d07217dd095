/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/scep_layers.h"
#include "tests/test.h"

static void operations_are_read(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const struct {
        const char *query, *message;
        enum scep_operation operation;
    } rows[] = {{"operation=GetCACaps", NULL, SCEP_GET_CAPABILITIES},
                {"operation=GetCACert&message=default", "default", SCEP_GET_AUTHORITY},
                {"message=0&operation=GetNextCACert", "0", SCEP_GET_NEXT_AUTHORITY},
                {"operation=PKIOperation&message=", "", SCEP_PKI_OPERATION}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scep_query query;
        struct err err;
        assert_works(scep_query_parse(owner, bytes_text(rows[i].query), &query, &err), err);
        assert_int_equal(query.operation, rows[i].operation);
        if (rows[i].message)
            assert_string_equal(query.message, rows[i].message);
        else
            assert_null(query.message);
    }
}

static void other_operations_are_refused(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const char *const bad[] = {"",
                                      "operation=",
                                      "operation=getcacaps",
                                      "operation=GetCACert&operation=GetCACaps",
                                      "message=x",
                                      "operation=%00",
                                      "operation=GetCACert%"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct scep_query query;
        struct err err;
        assert_fails(scep_query_parse(owner, bytes_text(bad[i]), &query, &err), err, ERR_BAD_INPUT);
    }
    struct scep_query query;
    struct err err;
    struct bytes huge = {mem_array(owner, uint8_t, 20000), 20000};
    assert_fails(scep_query_parse(owner, huge, &query, &err), err, ERR_TOO_LARGE);
}

/* The bytes fb ff be 00 in every spelling that clients use. */
static void all_spellings_of_base64_are_one(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const uint8_t expected[] = {0xfb, 0xff, 0xbe, 0x00};
    static const char *const spellings[] = {
        "%2B%2F%2B%2BAA%3D%3D",       /* all of it encoded */
        "+/++AA%3D%3D",               /* macOS: '+' and '/' as they are */
        "%20/%20%20AA==",             /* '+' already turned into a space */
        "%2B%2F%2B%2B%0AAA%3D%3D%0A", /* Cisco: line breaks inside */
        "-_--AA",                     /* the alphabet for URLs, no padding */
    };
    for (size_t i = 0; i < COUNT(spellings); i++) {
        struct scep_query query;
        struct bytes out;
        struct err err;
        char *text = mem_format(owner, "operation=PKIOperation&message=%s", spellings[i]);
        assert_works(scep_query_parse(owner, bytes_text(text), &query, &err), err);
        if (!scep_query_message(owner, &query, &out, &err))
            fail_msg("%s: %s", spellings[i], err.text);
        assert_true(bytes_equal(out, BYTES_OF(expected)));
    }
}

static void layers_refuse_noise_without_a_key(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct scep_signed message;
    struct scep_envelope envelope;
    struct err err;
    struct bytes huge = {mem_array(owner, uint8_t, SCEP_MESSAGE_MAX + 1), SCEP_MESSAGE_MAX + 1};
    assert_fails(scep_prefilter(owner, NO_BYTES, &message, &err), err, ERR_BAD_INPUT);
    assert_fails(scep_prefilter(owner, bytes_text("0"), &message, &err), err, ERR_BAD_INPUT);
    assert_fails(scep_prefilter(owner, huge, &message, &err), err, ERR_TOO_LARGE);
    assert_fails(scep_envelope_parse(owner, bytes_text("0"), true, &envelope, &err), err,
                 ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_read),
        cmocka_unit_test(other_operations_are_refused),
        cmocka_unit_test(all_spellings_of_base64_are_one),
        cmocka_unit_test(layers_refuse_noise_without_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
