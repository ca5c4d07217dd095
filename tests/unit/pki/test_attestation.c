/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations of tests/vectors/attestation: what they say, and every way in which one is none. */
#include "pki/attestation.h"

#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "codec/base64.h"
#include "pki/digest.h"
#include "pki/ec_chain.h"
#include "tests/test.h"

#define NOW "2026-06-01T00:00:00Z"
#define CHAIN_MOST 8

static const char begin_mark[] = "-----BEGIN CERTIFICATE-----";

static struct bytes file_of(void *owner, const char *name)
{
    struct bytes content = {0};
    struct err err;
    char *path = mem_format(owner, ATTESTATION_VECTORS "/%s.pem", name);
    assert_works(file_read(owner, path, 1 << 20, &content, &err), err);
    return content;
}

static size_t chain_of(void *owner, const char *name, struct bytes chain[CHAIN_MOST])
{
    struct bytes rest = file_of(owner, name);
    struct err err;
    size_t count = 0;
    const uint8_t *at;
    while ((at = memmem(rest.data, rest.size, begin_mark, strlen(begin_mark)))) {
        struct bytes block = {at, rest.size - (size_t)(at - rest.data)};
        assert_true(count < CHAIN_MOST);
        assert_works(pem_decode(owner, block, NULL, 1 << 20, &chain[count++], &err), err);
        rest = (struct bytes){at + 1, block.size - 1};
    }
    return count;
}

static bool open_as_of(void *owner, const char *name, const char *at, struct attestation *out,
                       struct err *err)
{
    struct bytes chain[CHAIN_MOST];
    int64_t now = 0;
    size_t count = chain_of(owner, name, chain);
    assert_works(time_parse(at, &now, err), *err);
    return attestation_open(owner, chain, count, file_of(owner, "root"), now, out, err);
}

static void a_phone_says_who_it_is_and_what_it_runs(void **state)
{
    static const char *const same[] = {"good", "good-p256", "good-wrapped", "good-with-root"};
    for (size_t i = 0; i < COUNT(same); i++) {
        struct attestation read;
        struct err err;
        assert_works(open_as_of(*state, same[i], NOW, &read, &err), err);
        assert_string_equal(read.serial, "F2LXA1B2C3");
        assert_string_equal(read.udid, "00008120-001A2B3C4D5E6F70");
        assert_string_equal(read.os_version, "17.5.1");
        assert_string_equal(read.enclave_version, "17.5.1");
        assert_string_equal(read.loader_version, "10151.121.1");
        assert_string_equal(read.update_device, "iPhone15,2");
        assert_null(read.secure_boot);
        assert_int_equal(read.protection_off, ATTESTATION_UNTOLD);
        assert_int_equal(read.freshness.size, 32);
        for (size_t k = 0; k < 32; k++)
            assert_int_equal(read.freshness.data[k], k);
        struct bytes chain[CHAIN_MOST];
        (void)chain_of(*state, same[i], chain);
        assert_string_equal(read.sha256, digest_sha256_hex(*state, chain[0]));
        assert_string_equal(time_text(*state, read.made_at), "2026-05-20T00:00:00Z");
        assert_string_equal(time_text(*state, read.expires_at), "2027-05-20T00:00:00Z");
    }
}

static void a_mac_says_how_it_is_protected(void **state)
{
    struct attestation read;
    struct err err;
    assert_works(open_as_of(*state, "good-mac", NOW, &read, &err), err);
    assert_string_equal(read.secure_boot, "Full Security");
    assert_int_equal(read.protection_off, 0);
    assert_int_equal(read.kernel_extensions, 0);
    assert_null(read.os_version);
}

static void what_is_left_out_or_blank_is_not_told(void **state)
{
    struct attestation read;
    struct err err;
    assert_works(open_as_of(*state, "good-nameless", NOW, &read, &err), err);
    assert_null(read.serial);
    assert_null(read.udid);
    assert_works(open_as_of(*state, "good-blank", NOW, &read, &err), err);
    assert_null(read.serial);
    assert_non_null(read.udid);
}

/* proves-partly: 4c-17 */
static void every_other_chain_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *name;
        enum err_kind kind;
        const char *says;
    } rows[] = {
        {"other-root", ERR_FORBIDDEN, "does not lead to the root"},
        {"other-root-shown", ERR_FORBIDDEN, "does not lead to the root"},
        {"other-key", ERR_FORBIDDEN, "the device's certificate of the chain is not signed by"},
        {"expired", ERR_FORBIDDEN, "has expired (2026-01-01T00:00:00Z)"},
        {"early", ERR_FORBIDDEN, "not valid before 2026-07-01T00:00:00Z"},
        {"expired-authority", ERR_FORBIDDEN, "the second of the chain has expired"},
        {"leaf-as-authority", ERR_FORBIDDEN, "the second of the chain is no authority"},
        {"path-too-long", ERR_FORBIDDEN, "the third of the chain allows no chain this long"},
        {"no-usage", ERR_FORBIDDEN, "the second of the chain is no authority"},
        {"leaf-is-authority", ERR_FORBIDDEN, "the device's certificate is one of an authority"},
        {"rsa-authority", ERR_FORBIDDEN, "is not signed by the next one"},
        {"p521-authority", ERR_FORBIDDEN, "is not signed by the next one"},
        {"critical-unknown", ERR_FORBIDDEN, "critical extension"},
        {"swapped", ERR_FORBIDDEN, "is one of an authority"},
        {"alone", ERR_FORBIDDEN, "does not lead to the root"},
        {"too-long", ERR_TOO_LARGE, "a chain of 5 certificates"},
        {"broken-signature", ERR_FORBIDDEN, "is not signed by the next one"},
        {"changed-serial", ERR_FORBIDDEN, "is not signed by the next one"},
        {"trailing", ERR_BAD_INPUT, "not one structure"},
        {"truncated", ERR_BAD_INPUT, "not one structure"},
        {"garbage", ERR_BAD_INPUT, "not a certificate"},
        {"twice", ERR_BAD_INPUT, "an extension stands twice"},
        {"two-algorithms", ERR_BAD_INPUT, "two algorithms"},
        {"binary-text", ERR_BAD_INPUT, "no text"},
        {"long-text", ERR_BAD_INPUT, "no text"},
        {"odd-number", ERR_BAD_INPUT, "no number"},
        {"long-freshness", ERR_BAD_INPUT, "too long a freshness code"},
        {"large", ERR_TOO_LARGE, "8192 bytes"},
        {"many-extensions", ERR_TOO_LARGE, "32 extensions"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct attestation read;
        struct err err;
        assert_fails(open_as_of(*state, rows[i].name, NOW, &read, &err), err, rows[i].kind);
        if (!strstr(err.text, rows[i].says))
            fail_msg("%s: %s", rows[i].name, err.text);
    }
}

static void a_good_chain_is_good_for_its_time_alone(void **state)
{
    struct attestation read;
    struct err err;
    assert_works(open_as_of(*state, "good", "2027-05-20T00:00:00Z", &read, &err), err);
    assert_fails(open_as_of(*state, "good", "2027-05-20T00:00:01Z", &read, &err), err,
                 ERR_FORBIDDEN);
    assert_works(open_as_of(*state, "good", "2026-05-20T00:00:00Z", &read, &err), err);
    assert_fails(open_as_of(*state, "good", "2026-05-19T23:59:59Z", &read, &err), err,
                 ERR_FORBIDDEN);
}

static bool open_with(void *owner, const char *anchors, size_t count, struct attestation *out,
                      struct err *err)
{
    struct bytes chain[CHAIN_MOST];
    int64_t now = 0;
    size_t found = chain_of(owner, "good", chain);
    assert_works(time_parse(NOW, &now, err), *err);
    return attestation_open(owner, chain, count < found ? count : found, bytes_text(anchors), now,
                            out, err);
}

static void an_authority_of_the_chain_may_be_the_anchor_and_a_leaf_may_not(void **state)
{
    struct attestation read;
    struct err err;
    struct bytes chain[CHAIN_MOST];
    assert_int_equal(chain_of(*state, "good", chain), 2);
    const char *leaf = pem_encode(*state, "CERTIFICATE", chain[0]);
    const char *authority = pem_encode(*state, "CERTIFICATE", chain[1]);
    assert_works(open_with(*state, authority, 2, &read, &err), err);
    assert_works(open_with(*state, authority, 1, &read, &err), err);
    assert_fails(open_with(*state, leaf, 1, &read, &err), err, ERR_FORBIDDEN);
    assert_fails(open_with(*state, leaf, 2, &read, &err), err, ERR_FORBIDDEN);
    assert_fails(open_with(*state, authority, 0, &read, &err), err, ERR_TOO_LARGE);
}

static void anchors_that_are_none_are_told_from_a_bad_chain(void **state)
{
    static const char *const none[] = {
        "", "hello", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n"};
    struct attestation read;
    struct err err;
    size_t count = 0;
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_fails(open_with(*state, none[i], 2, &read, &err), err, ERR_PRECONDITION);
        assert_fails(attestation_anchors_check(bytes_text(none[i]), &count, &err), err,
                     ERR_PRECONDITION);
    }
    assert_works(attestation_anchors_check(file_of(*state, "good"), &count, &err), err);
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_says_who_it_is_and_what_it_runs),
        cmocka_unit_test(a_mac_says_how_it_is_protected),
        cmocka_unit_test(what_is_left_out_or_blank_is_not_told),
        cmocka_unit_test(every_other_chain_is_refused_with_its_reason),
        cmocka_unit_test(a_good_chain_is_good_for_its_time_alone),
        cmocka_unit_test(an_authority_of_the_chain_may_be_the_anchor_and_a_leaf_may_not),
        cmocka_unit_test(anchors_that_are_none_are_told_from_a_bad_chain),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
