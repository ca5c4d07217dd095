/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/id.h"
#include "pki/openssl.h"
#include "tests/unit/keyd/process.h"

#define DAY ((int64_t)86400)

static X509 *read_certificate(struct bytes der)
{
    X509 *certificate = DER_READ(d2i_X509, der);
    assert_non_null(certificate);
    return certificate;
}

static X509_STORE *store_of(const struct authority *authority)
{
    X509_STORE *store = X509_STORE_new();
    X509 *root = read_certificate(authority->root);
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    X509_free(root);
    return store;
}

/* The chain leaf, issuing CA, root holds for this purpose. */
static bool chain_holds(const struct authority *authority, X509 *leaf, int purpose)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = store_of(authority);
    CLEANUP(X509_free_at) X509 *issuing = read_certificate(authority->issuing);
    CLEANUP(X509_STORE_CTX_free_at) X509_STORE_CTX *context = X509_STORE_CTX_new();
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *between = sk_X509_new_null();
    assert_true(sk_X509_push(between, issuing) > 0);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, between), 1);
    if (purpose)
        assert_int_equal(X509_STORE_CTX_set_purpose(context, purpose), 1);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    return X509_verify_cert(context) == 1;
}

static struct bytes new_spki(void *owner, EVP_PKEY *key)
{
    assert_non_null(key);
    struct bytes spki = DER_OF(owner, i2d_PUBKEY, key);
    EVP_PKEY_free(key);
    return spki;
}

static struct issue_fields good_fields(void *owner)
{
    int64_t now = clock_now();
    struct issue_fields fields = {.purpose = PURPOSE_MDM_IDENTITY,
                                  .common_name = "phone 1, O=Evil",
                                  .organization = "Example Works",
                                  .san_uri = "urn:uuid:0190d2f0-0000-7000-8000-000000000001",
                                  .spki = new_spki(owner, EVP_EC_gen("P-256")),
                                  .not_before = now - 600,
                                  .not_after = now + 365 * DAY,
                                  .crl_url = "http://mdm.example/crl",
                                  .ocsp_url = "http://mdm.example/ocsp",
                                  .issuer_url = "http://mdm.example/ca"};
    random_bytes(fields.serial, sizeof(fields.serial));
    fields.serial[0] = 0x55;
    return fields;
}

#define NINE "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"

/* 64 characters of two bytes each, but for the first: 40 bytes end inside of one. */
static void the_longest_name_of_an_organization_makes_an_authority(void **state)
{
    static const char name[] = "x" NINE NINE NINE NINE NINE NINE NINE;
    struct process *process = process_start_for(NULL, name);
    void *started = process;
    CLEANUP(X509_free_at) X509 *issuing = read_certificate(process->authority.issuing);
    char text[256];
    (void)state;
    X509_NAME *subject = X509_get_subject_name(issuing);
    assert_true(X509_NAME_get_text_by_NID(subject, NID_organizationName, text, sizeof(text)) > 0);
    assert_string_equal(text, name);
    assert_true(X509_NAME_get_text_by_NID(subject, NID_commonName, text, sizeof(text)) > 0);
    assert_string_equal(text, "x" NINE NINE "\u00fc Devices CA");
    assert_int_equal(process_tear_down(&started), 0);
}

static void the_authority_is_one_chain_and_stays_the_same(void **state)
{
    struct process *process = *state;
    struct authority *authority = &process->authority, again;
    struct err err;
    const struct bytes leaves[] = {authority->registration, authority->profile, authority->ocsp};
    for (size_t i = 0; i < COUNT(leaves); i++) {
        CLEANUP(X509_free_at) X509 *leaf = read_certificate(leaves[i]);
        assert_true(chain_holds(authority, leaf, 0));
    }
    process_restart(process, true);
    assert_works(keyd_authority(process->keyd, process, &again, &err), err);
    assert_true(bytes_equal(again.root, authority->root));
    assert_true(bytes_equal(again.issuing, authority->issuing));
    assert_true(bytes_equal(again.registration, authority->registration));
    assert_true(bytes_equal(again.profile, authority->profile));
}

static void a_device_certificate_is_built_from_its_fields(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes der;
    struct issue_fields fields = good_fields(owner);
    assert_works(keyd_issue(process->keyd, owner, &fields, &der, &err), err);
    CLEANUP(X509_free_at) X509 *leaf = read_certificate(der);
    assert_true(chain_holds(&process->authority, leaf, X509_PURPOSE_SSL_CLIENT));
    assert_false(chain_holds(&process->authority, leaf, X509_PURPOSE_SSL_SERVER));
    assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_CLIENT);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(leaf)), 2);
    char name[64];
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name,
                                          sizeof(name)) > 0);
    assert_string_equal(name, "phone 1, O=Evil");
    const ASN1_INTEGER *serial = X509_get0_serialNumber(leaf);
    assert_int_equal(ASN1_STRING_length(serial), 16);
    assert_memory_equal(ASN1_STRING_get0_data(serial), fields.serial, 16);
}

/* Ask for a certificate with one thing changed; false and the kind when refused. */
static bool issue(struct process *process, const struct issue_fields *fields, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes der;
    return keyd_issue(process->keyd, owner, fields, &der, err);
}

static void what_no_policy_may_ask_for_is_refused(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct issue_fields good = good_fields(owner), bad;

    bad = good, bad.purpose = (enum certificate_purpose)0;
    assert_fails(issue(process, &bad, &err), err, ERR_FORBIDDEN);
    bad = good, bad.purpose = (enum certificate_purpose)77;
    assert_fails(issue(process, &bad, &err), err, ERR_FORBIDDEN);
    bad = good, memset(bad.serial, 0, 9);
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.serial[0] = 0x80;
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.common_name = NULL;
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.san_uri = "urn:x y";
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.not_before = clock_now() - 30 * DAY;
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.not_after = bad.not_before;
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.not_after = INT64_MAX, bad.not_before = INT64_MIN;
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good, bad.purpose = PURPOSE_SERVER_TLS;
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
    bad = good,
    bad.common_name = "a name that is longer than the sixty-four characters that fit.....";
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
}

static EVP_PKEY *rsa_with_exponent_3(void)
{
    CLEANUP(EVP_PKEY_CTX_free_at) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    CLEANUP(BN_free_at) BIGNUM *three = BN_new();
    EVP_PKEY *key = NULL;
    assert_int_equal(BN_set_word(three, 3), 1);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, three), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    return key;
}

static void weak_and_strange_keys_are_refused(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct issue_fields bad = good_fields(owner);
    EVP_PKEY *const keys[] = {EVP_RSA_gen(1024), rsa_with_exponent_3(), EVP_EC_gen("P-521"),
                              EVP_EC_gen("secp256k1"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t i = 0; i < COUNT(keys); i++) {
        bad.spki = new_spki(owner, keys[i]);
        assert_fails(issue(process, &bad, &err), err, ERR_FORBIDDEN);
    }
    bad.spki = bytes_text("no key");
    assert_fails(issue(process, &bad, &err), err, ERR_BAD_INPUT);
}

static void validity_is_clamped(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes der;
    struct issue_fields fields = good_fields(owner);
    fields.not_after = clock_now() + 5000 * DAY;
    assert_works(keyd_issue(process->keyd, owner, &fields, &der, &err), err);
    CLEANUP(X509_free_at) X509 *leaf = read_certificate(der);
    time_t limit = clock_now() + 826 * DAY;
    assert_true(X509_cmp_time(X509_get0_notAfter(leaf), &limit) < 0);
}

static void a_profile_is_signed_with_its_chain(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes der;
    assert_works(keyd_sign_profile(process->keyd, owner, 0, bytes_text("<plist/>"), &der, &err),
                 err);
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = DER_READ(d2i_CMS_ContentInfo, der);
    CLEANUP(X509_STORE_free_at) X509_STORE *store = store_of(&process->authority);
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    assert_non_null(cms);
    assert_int_equal(CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY), 1);
    char *content;
    assert_int_equal(BIO_get_mem_data(out, &content), 8);
    assert_memory_equal(content, "<plist/>", 8);
}

static void server_identities_are_kept_until_their_names_change(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const char *const names[] = {"mdm.example", "127.0.0.1", NULL}, *const other[] = {"b.example",
                                                                                      NULL};
    struct tls_identity first[2], second[2];
    struct err err;
    assert_works(keyd_tls_identities(process->keyd, owner, names, first, &err), err);
    process_restart(process, true);
    assert_works(keyd_tls_identities(process->keyd, owner, names, second, &err), err);
    for (int i = 0; i < 2; i++) {
        assert_true(bytes_equal(first[i].certificate_pem, second[i].certificate_pem));
        assert_true(bytes_equal(first[i].key_pem, second[i].key_pem));
        assert_non_null(memmem(first[i].key_pem.data, first[i].key_pem.size, "PRIVATE KEY", 11));
    }
    assert_works(keyd_tls_identities(process->keyd, owner, other, second, &err), err);
    assert_false(bytes_equal(first[0].certificate_pem, second[0].certificate_pem));
    const char *const none[] = {NULL}, *const bad[] = {"a b", NULL};
    assert_fails(keyd_tls_identities(process->keyd, owner, none, second, &err), err, ERR_BAD_INPUT);
    assert_fails(keyd_tls_identities(process->keyd, owner, bad, second, &err), err, ERR_BAD_INPUT);
}

static void the_head_of_the_audit_chain_is_signed_and_checked(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    uint8_t hash[32] = {1}, other[32] = {2};
    struct bytes signature;
    struct err err;
    assert_works(keyd_sign_audit(process->keyd, owner, 5, hash, 1000, &signature, &err), err);
    assert_works(keyd_verify_audit(process->keyd, 5, hash, 1000, signature, &err), err);
    assert_fails(keyd_verify_audit(process->keyd, 6, hash, 1000, signature, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(keyd_verify_audit(process->keyd, 5, other, 1000, signature, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(keyd_verify_audit(process->keyd, 5, hash, 1001, signature, &err), err,
                 ERR_BAD_INPUT);
    assert_fails(keyd_verify_audit(process->keyd, 5, hash, 1000, NO_BYTES, &err), err,
                 ERR_BAD_INPUT);
}

static void a_head_below_the_last_one_or_unlike_it_is_not_signed(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    uint8_t hash[32] = {7}, other[32] = {8}, last[32] = {0};
    int64_t position = 0;
    struct bytes signature;
    struct err err;
    assert_works(keyd_sign_audit(process->keyd, owner, 90, hash, 1000, &signature, &err), err);
    process_restart(process, true);
    assert_works(keyd_audit_head(process->keyd, &position, last, &err), err);
    assert_int_equal(position, 90);
    assert_memory_equal(last, hash, sizeof(hash));
    assert_fails(keyd_sign_audit(process->keyd, owner, 89, hash, 1001, &signature, &err), err,
                 ERR_CONFLICT);
    assert_fails(keyd_sign_audit(process->keyd, owner, 90, other, 1001, &signature, &err), err,
                 ERR_CONFLICT);
    assert_works(keyd_sign_audit(process->keyd, owner, 90, hash, 1002, &signature, &err), err);
    assert_works(keyd_sign_audit(process->keyd, owner, 91, other, 1003, &signature, &err), err);
}

static void a_request_comes_with_its_key_sealed(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes der, sealed, pem;
    struct err err;
    assert_works(
        keyd_make_request(process->keyd, owner, "push", "a@example.org", &der, &sealed, &err), err);
    CLEANUP(X509_REQ_free_at) X509_REQ *request = DER_READ(d2i_X509_REQ, der);
    assert_non_null(request);
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    assert_int_equal(X509_REQ_verify(request, key), 1);
    char *about = digest_sha256_hex(owner, DER_OF(owner, i2d_PUBKEY, key));
    assert_works(keyd_open(process->keyd, owner, KEYD_CLASS_CONNECTOR, about, sealed, &pem, &err),
                 err);
    assert_non_null(memmem(pem.data, pem.size, "PRIVATE KEY", 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_name_of_an_organization_makes_an_authority),
        cmocka_unit_test(the_authority_is_one_chain_and_stays_the_same),
        cmocka_unit_test(a_device_certificate_is_built_from_its_fields),
        cmocka_unit_test(what_no_policy_may_ask_for_is_refused),
        cmocka_unit_test(weak_and_strange_keys_are_refused),
        cmocka_unit_test(validity_is_clamped),
        cmocka_unit_test(a_profile_is_signed_with_its_chain),
        cmocka_unit_test(server_identities_are_kept_until_their_names_change),
        cmocka_unit_test(the_head_of_the_audit_chain_is_signed_and_checked),
        cmocka_unit_test(a_head_below_the_last_one_or_unlike_it_is_not_signed),
        cmocka_unit_test(a_request_comes_with_its_key_sealed),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
