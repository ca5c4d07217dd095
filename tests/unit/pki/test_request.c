/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/certificate.h"
#include "pki/name_openssl.h"
#include "pki/request.h"
#include "tests/test.h"

/* A request over what the callback puts into it, signed by key (SHA-256). */
static struct bytes make(void *owner, EVP_PKEY *key, void (*fill)(X509_REQ *request))
{
    CLEANUP(X509_REQ_free_at) X509_REQ *request = X509_REQ_new();
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    if (fill)
        fill(request);
    assert_true(X509_REQ_sign(request, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) >
                0);
    return DER_OF(owner, i2d_X509_REQ, request);
}

static void add_name(X509_REQ *request, const char *type, int encoding, const char *value, int set)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), type, encoding,
                                                (const unsigned char *)value, -1, -1, set),
                     1);
}

static void put_extension(X509_REQ *request, int where, int nid, const char *value)
{
    CLEANUP(x509_extensions_free_at)
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_true(sk_X509_EXTENSION_push(list, extension) > 0);
    assert_int_equal(X509_REQ_add_extensions_nid(request, list, where), 1);
}

/* ---- good ones ---- */

static void fill_typical(X509_REQ *request)
{
    add_name(request, "O", MBSTRING_UTF8, "B\xc3\xa4ren", 0);
    add_name(request, "CN", V_ASN1_PRINTABLESTRING, "phone", 0);
    put_extension(request, NID_ms_ext_req, NID_subject_alt_name,
                  "DNS:a.example,email:a@b.c,IP:10.0.0.1,IP:2001:db8::1");
    assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword,
                                               V_ASN1_BMPSTRING, (const unsigned char *)"\0S\0E",
                                               4),
                     1);
}

static void a_request_is_read_whole(void **state)
{
    EVP_PKEY *key = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct certificate_request request;
    struct err err;
    assert_works(request_parse(owner, make(owner, key, fill_typical), &request, &err), err);
    assert_string_equal(name_value(&request.subject, "O"), "B\xc3\xa4ren");
    assert_string_equal(name_text(owner, &request.subject), "O=B\xc3\xa4ren, CN=phone");
    assert_int_equal(request.alternatives.count, 4);
    assert_string_equal(request.alternatives.items[2].value, "10.0.0.1");
    assert_string_equal(request.alternatives.items[3].value, "2001:db8::1");
    assert_string_equal(request.challenge, "SE"); /* BMPString, as Windows may write it */
    assert_false(request.has_key_usage);
    assert_false(request.has_purposes);
    assert_int_equal(request.key.bits, 2048);
    assert_int_equal(strlen(request.spki_sha256), 64);
}

static void an_empty_request_is_a_request(void **state)
{
    EVP_PKEY *key = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct certificate_request request;
    struct err err;
    assert_works(request_parse(owner, make(owner, key, NULL), &request, &err), err);
    assert_int_equal(request.subject.count, 0);
    assert_null(request.challenge);
}

/* ---- bad ones ---- */

static void fill_multi_valued(X509_REQ *request)
{
    add_name(request, "CN", MBSTRING_UTF8, "a", 0);
    add_name(request, "OU", MBSTRING_UTF8, "b", -1);
}

static void fill_many_names(X509_REQ *request)
{
    for (int i = 0; i < 17; i++)
        add_name(request, "OU", MBSTRING_UTF8, "x", 0);
}

static void fill_nul_name(X509_REQ *request)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN",
                                                V_ASN1_UTF8STRING, (const unsigned char *)"a\0b", 3,
                                                -1, 0),
                     1);
}

static void fill_authority(X509_REQ *request)
{
    put_extension(request, NID_ext_req, NID_basic_constraints, "CA:TRUE");
}

static void fill_two_places(X509_REQ *request)
{
    put_extension(request, NID_ext_req, NID_key_usage, "digitalSignature");
    put_extension(request, NID_ms_ext_req, NID_key_usage, "keyCertSign");
}

static void fill_directory_name(X509_REQ *request)
{
    put_extension(request, NID_ext_req, NID_subject_alt_name, "RID:1.2.3.4");
}

static void fill_doubled_names(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    for (int i = 0; i < 2; i++)
        assert_true(
            sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                                             i ? "DNS:b" : "DNS:a")) > 0);
    assert_int_equal(X509_REQ_add_extensions(request, list), 1);
    x509_extensions_free(list);
}

static void fill_two_values(X509_REQ *request)
{
    X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(NULL, NID_pkcs9_challengePassword,
                                                             V_ASN1_PRINTABLESTRING, "one", 3);
    assert_int_equal(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_PRINTABLESTRING, "two", 3), 1);
    assert_int_equal(X509_REQ_add1_attr(request, attribute), 1);
    X509_ATTRIBUTE_free(attribute);
}

static void fill_nul_challenge(X509_REQ *request)
{
    assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword,
                                               V_ASN1_UTF8STRING, (const unsigned char *)"a\0b", 3),
                     1);
}

static void fill_long_challenge(X509_REQ *request)
{
    unsigned char text[256];
    memset(text, 'A', sizeof(text));
    assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword,
                                               V_ASN1_PRINTABLESTRING, text, sizeof(text)),
                     1);
}

static void wrong_ways_to_ask_are_refused(void **state)
{
    EVP_PKEY *key = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    void (*const fills[])(X509_REQ *) = {fill_multi_valued,  fill_many_names, fill_nul_name,
                                         fill_authority,     fill_two_places, fill_directory_name,
                                         fill_doubled_names, fill_two_values, fill_nul_challenge,
                                         fill_long_challenge};
    for (size_t i = 0; i < COUNT(fills); i++) {
        struct certificate_request request;
        struct err err;
        assert_fails(request_parse(owner, make(owner, key, fills[i]), &request, &err), err,
                     ERR_PRECONDITION);
    }
}

static void what_is_no_request_is_told_apart(void **state)
{
    EVP_PKEY *key = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct certificate_request request;
    struct err err;
    struct bytes good = make(owner, key, fill_typical);
    for (size_t size = 0; size < good.size; size += 13) {
        struct bytes part = {good.data, size};
        assert_fails(request_parse(owner, part, &request, &err), err, ERR_BAD_INPUT);
    }
    struct bytes huge = {mem_array(owner, uint8_t, 20000), 20000};
    assert_fails(request_parse(owner, huge, &request, &err), err, ERR_TOO_LARGE);
    uint8_t *changed = mem_copy(owner, good.data, good.size);
    changed[good.size - 5] ^= 1;
    assert_fails(request_parse(owner, (struct bytes){changed, good.size}, &request, &err), err,
                 ERR_UNAUTHENTICATED);
}

/* A modulus that nobody has factors of. */
static EVP_PKEY *public_key(int bits, unsigned long power)
{
    CLEANUP(BN_free_at) BIGNUM *modulus = BN_new();
    CLEANUP(BN_free_at) BIGNUM *exponent = BN_new();
    assert_int_equal(BN_set_bit(modulus, bits - 1) && BN_set_bit(modulus, 0), 1);
    assert_int_equal(BN_set_word(exponent, power), 1);
    uint8_t n[2048], e[3];
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const uint8_t zero[] = {0};
    struct bytes number = {n, (size_t)BN_bn2bin(modulus, n)};
    struct bytes small = {e, (size_t)BN_bn2bin(exponent, e)};
    struct bytes both =
        DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_INTEGER, BYTES_OF(zero), number),
                 DER_MAKE(owner, DER_INTEGER, small));
    const unsigned char *at = both.data;
    EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)both.size);
    assert_non_null(key);
    return key;
}

static int verified; /* requests whose signature was looked at */
int __real_X509_REQ_verify(X509_REQ *request, EVP_PKEY *key);
int __wrap_X509_REQ_verify(X509_REQ *request, EVP_PKEY *key);
int __wrap_X509_REQ_verify(X509_REQ *request, EVP_PKEY *key)
{
    verified++;
    return __real_X509_REQ_verify(request, key);
}

static void keys_that_are_not_certified_are_refused_before_the_signature(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct certificate_request request;
    struct err err;
    EVP_PKEY *const keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-521"),
                              EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    verified = 0;
    for (size_t i = 0; i < COUNT(keys); i++) {
        assert_fails(request_parse(owner, make(owner, keys[i], NULL), &request, &err), err,
                     ERR_FORBIDDEN);
        EVP_PKEY_free(keys[i]);
    }
    assert_int_equal(verified, 0);
    assert_works(request_parse(owner, make(owner, *state, NULL), &request, &err), err);
    assert_int_equal(verified, 1);
}

/* What costs most is the signature of a giant: 16,384 bits take hundreds of times what 2048 do. */
static void rsa_keys_out_of_range_are_refused_before_the_signature(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const struct {
        int bits;
        unsigned long exponent;
    } rows[] = {{16384, 65537}, {8192, 65537}, {4104, 65537}, {2040, 65537}, {2048, 3}, {2048, 1}};
    verified = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct certificate_request request;
        struct err err;
        CLEANUP(X509_REQ_free_at) X509_REQ *forged = X509_REQ_new();
        CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = public_key(rows[i].bits, rows[i].exponent);
        assert_int_equal(X509_REQ_set_pubkey(forged, key), 1);
        assert_true(X509_REQ_sign(forged, *state, EVP_sha256()) > 0);
        assert_fails(request_parse(owner, DER_OF(owner, i2d_X509_REQ, forged), &request, &err), err,
                     ERR_FORBIDDEN);
    }
    assert_int_equal(verified, 0);
}

static void curves_are_told_apart(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const struct {
        const char *curve;
        enum key_kind kind;
    } rows[] = {{"P-256", KEY_P256}, {"P-384", KEY_P384}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct certificate_request request;
        struct err err;
        EVP_PKEY *key = EVP_EC_gen(rows[i].curve);
        assert_works(request_parse(owner, make(owner, key, NULL), &request, &err), err);
        assert_int_equal(request.key.kind, rows[i].kind);
        EVP_PKEY_free(key);
    }
}

static void certificates_refuse_what_is_none(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct certificate certificate;
    struct err err;
    assert_fails(certificate_parse(owner, NO_BYTES, &certificate, &err), err, ERR_BAD_INPUT);
    assert_fails(certificate_parse(owner, bytes_text("0\x82"), &certificate, &err), err,
                 ERR_BAD_INPUT);
    struct bytes huge = {mem_array(owner, uint8_t, 20000), 20000};
    assert_fails(certificate_parse(owner, huge, &certificate, &err), err, ERR_TOO_LARGE);
    assert_false(certificate_is_issued_by(huge, huge));
}

static int make_key(void **state)
{
    *state = EVP_RSA_gen(2048);
    return *state ? 0 : -1;
}

static int free_key(void **state)
{
    EVP_PKEY_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_whole),
        cmocka_unit_test(an_empty_request_is_a_request),
        cmocka_unit_test(wrong_ways_to_ask_are_refused),
        cmocka_unit_test(what_is_no_request_is_told_apart),
        cmocka_unit_test(keys_that_are_not_certified_are_refused_before_the_signature),
        cmocka_unit_test(rsa_keys_out_of_range_are_refused_before_the_signature),
        cmocka_unit_test(curves_are_told_apart),
        cmocka_unit_test(certificates_refuse_what_is_none),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
