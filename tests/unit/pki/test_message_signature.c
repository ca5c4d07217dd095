/* SPDX-License-Identifier: Apache-2.0 */
/* Detached signatures: what holds is bound to its bytes and says whose it is; the rest is refused.
 * Digests, signers and contents that must not be are tried end to end, in test_signature.py. */
#include "codec/base64.h"
#include "pki/message_signature.h"
#include "pki/openssl.h"
#include "tests/test.h"

#define BODY bytes_text("Idle")

static X509 *certificate_make(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_true(X509_set_version(certificate, X509_VERSION_3) == 1);
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7) == 1);
    assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"device", -1,
                                           -1, 0) == 1);
    assert_true(X509_set_issuer_name(certificate, name) == 1);
    assert_true(X509_set_pubkey(certificate, key) == 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

/* base64 of the signature over BODY; *certificate becomes the signer's. */
static char *signature_make(void *owner, unsigned flags, struct bytes *certificate)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_free_at) X509 *signer = certificate_make(key);
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(BODY.data, (int)BODY.size);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_sign(signer, key, NULL, in, CMS_BINARY | flags);
    assert_non_null(cms);
    *certificate = DER_OF(owner, i2d_X509, signer);
    return base64_encode(owner, DER_OF(owner, i2d_CMS_ContentInfo, cms));
}

static void a_signature_tells_whose_it_is(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct bytes signer, found = {0};
    struct err err;
    char *signature = signature_make(owner, CMS_DETACHED, &signer);
    assert_works(message_signature_check(owner, signature, BODY, &found, &err), err);
    assert_true(bytes_equal(found, signer));
}

static void a_signature_covers_exactly_its_bytes(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct bytes signer, found = {0};
    struct err err;
    char *signature = signature_make(owner, CMS_DETACHED, &signer);
    const char *const others[] = {"", "idle", "Idle ", "Idl"};
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_false(
            message_signature_check(owner, signature, bytes_text(others[i]), &found, &err));
        assert_int_equal(err.kind, ERR_BAD_INPUT);
        assert_null(found.data);
    }
}

static void what_brings_its_content_or_no_certificate_is_refused(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct bytes signer, found = {0};
    struct err err;
    char *attached = signature_make(owner, 0, &signer);
    assert_false(message_signature_check(owner, attached, BODY, &found, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    char *bare = signature_make(owner, CMS_DETACHED | CMS_NOCERTS, &signer);
    assert_false(message_signature_check(owner, bare, BODY, &found, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
}

static void what_is_too_long_is_not_read(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct bytes found = {0};
    struct err err;
    char *text = mem_array(owner, char, 64 * 1024 + 1);
    memset(text, 'A', 64 * 1024);
    assert_false(message_signature_check(owner, text, BODY, &found, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_tells_whose_it_is),
        cmocka_unit_test(a_signature_covers_exactly_its_bytes),
        cmocka_unit_test(what_brings_its_content_or_no_certificate_is_refused),
        cmocka_unit_test(what_is_too_long_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
