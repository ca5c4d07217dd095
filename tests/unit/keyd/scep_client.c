/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keyd/scep_client.h"

#include <stdio.h>

#define VERISIGN "2.16.840.1.113733.1.9."

static int client_free(struct client *client)
{
    EVP_PKEY_free(client->key);
    X509_free(client->certificate);
    return 0;
}

static void add_authority_identifier(X509 *certificate)
{
    static const uint8_t identifier[] = {0x30, 6, 0x80, 4, 1, 2, 3, 4};
    CLEANUP(ASN1_OCTET_STRING_free_at) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, identifier, sizeof(identifier)), 1);
    X509_EXTENSION *extension =
        X509_EXTENSION_create_by_NID(NULL, NID_authority_key_identifier, 1, value);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *self_signed(EVP_PKEY *key, bool is_odd)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"SCEP Protocol Certificate",
                                                -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L * 900); /* a wrong clock */
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), -86400L * 800);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    if (is_odd)
        add_authority_identifier(certificate);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static struct client *client_make(void *owner, EVP_PKEY *key, bool is_odd)
{
    struct client *client = mem_new(owner, struct client);
    mem_destructor(client, client_free);
    assert_non_null(key);
    client->key = key;
    client->certificate = self_signed(key, is_odd);
    return client;
}

struct client *client_from(void *owner, EVP_PKEY *key)
{
    return client_make(owner, key, false);
}

struct client *client_odd(void *owner, EVP_PKEY *key)
{
    return client_make(owner, key, true);
}

struct client *client_new(void *owner, int bits)
{
    return client_from(owner, EVP_RSA_gen((size_t)bits));
}

/* ---- request ---- */

static void add_challenge(X509_REQ *request, const struct csr_wish *wish)
{
    int type = wish->challenge_type ? wish->challenge_type : V_ASN1_PRINTABLESTRING;
    const unsigned char *text = (const unsigned char *)wish->challenge;
    assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, type, text,
                                               (int)strlen(wish->challenge)),
                     1);
    if (wish->two_challenges)
        assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_unstructuredName,
                                                   V_ASN1_PRINTABLESTRING,
                                                   (const unsigned char *)"another", 7),
                         1);
}

static void add_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_true(sk_X509_EXTENSION_push(list, extension) > 0);
}

static void add_extensions(X509_REQ *request, const struct csr_wish *wish)
{
    CLEANUP(x509_extensions_free_at)
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    add_extension(list, NID_subject_alt_name, "URI:urn:uuid:1, otherName:msUPN;UTF8:a@b");
    if (wish->is_authority)
        add_extension(list, NID_basic_constraints, "CA:TRUE");
    if (wish->ask_usage) {
        add_extension(list, NID_key_usage, "digitalSignature,keyEncipherment");
        add_extension(list, NID_ext_key_usage, "clientAuth");
    }
    assert_int_equal(X509_REQ_add_extensions(request, list), 1);
}

/* OpenSSL does not add a second challenge: another attribute becomes one. */
static X509_REQ *double_challenge(void *owner, X509_REQ *request)
{
    static const uint8_t other[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 2};
    struct bytes der = DER_OF(owner, i2d_X509_REQ, request);
    uint8_t *copy = mem_copy(owner, der.data, der.size);
    uint8_t *at = memmem(copy, der.size, other, sizeof(other));
    assert_non_null(at);
    at[8] = 7;
    struct bytes changed = {copy, der.size};
    X509_REQ_free(request);
    return DER_READ(d2i_X509_REQ, changed);
}

struct bytes client_csr(void *owner, struct client *client, const struct csr_wish *wish)
{
    const EVP_MD *digest = wish->sha1 ? EVP_sha1() : EVP_sha256();
    X509_REQ *request = X509_REQ_new();
    X509_NAME *name = X509_REQ_get_subject_name(request);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"phone 1", -1, -1, 0),
                     1);
    assert_int_equal(X509_REQ_set_pubkey(request, client->key), 1);
    add_extensions(request, wish);
    if (wish->challenge)
        add_challenge(request, wish);
    assert_true(X509_REQ_sign(request, client->key, digest) > 0);
    if (wish->two_challenges) {
        request = double_challenge(owner, request);
        assert_true(X509_REQ_sign(request, client->key, digest) > 0);
    }
    struct bytes der = DER_OF(owner, i2d_X509_REQ, request);
    X509_REQ_free(request);
    if (!wish->broken)
        return der;
    uint8_t *copy = mem_copy(owner, der.data, der.size);
    copy[der.size - 1] ^= 1;
    return (struct bytes){copy, der.size};
}

/* ---- envelope ---- */

static void add_password(CMS_ContentInfo *cms)
{
    unsigned char *password = (unsigned char *)OPENSSL_strdup("password");
    assert_non_null(
        CMS_add0_recipient_password(cms, -1, NID_id_alg_PWRI_KEK, NID_undef, password, -1, NULL));
}

static void add_kek(CMS_ContentInfo *cms)
{
    unsigned char *key = OPENSSL_memdup("0123456789abcdef", 16), *id = OPENSSL_memdup("kek", 3);
    assert_non_null(CMS_add0_recipient_key(cms, NID_undef, key, 16, id, 3, NULL, NULL, NULL));
}

static void add_agreement(CMS_ContentInfo *cms)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_free_at) X509 *certificate = self_signed(key, false);
    assert_non_null(CMS_add1_recipient_cert(cms, certificate, 0));
}

static void add_rsa(CMS_ContentInfo *cms, X509 *certificate, enum recipient_kind kind)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *foreign = kind == BY_FOREIGN_KEY ? EVP_RSA_gen(2048) : NULL;
    if (foreign)
        assert_int_equal(X509_set_pubkey(certificate, foreign), 1);
    unsigned flags = kind == BY_OAEP ? CMS_KEY_PARAM : 0;
    CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, certificate, flags);
    assert_non_null(recipient);
    if (kind == BY_OAEP)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(CMS_RecipientInfo_get0_pkey_ctx(recipient),
                                                      RSA_PKCS1_OAEP_PADDING),
                         1);
}

struct bytes client_envelope(void *owner, struct bytes recipient, struct bytes content,
                             const EVP_CIPHER *cipher, enum recipient_kind kind)
{
    CLEANUP(X509_free_at) X509 *certificate = DER_READ(d2i_X509, recipient);
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(content.data, (int)content.size);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, CMS_BINARY | CMS_PARTIAL);
    assert_non_null(cms);
    switch (kind) {
    case BY_RSA_KEY:
    case BY_FOREIGN_KEY:
    case BY_OAEP: add_rsa(cms, certificate, kind); break;
    case BY_AGREEMENT: add_agreement(cms); break;
    case BY_KEK: add_kek(cms); break;
    case BY_PASSWORD: add_password(cms); break;
    }
    assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    return DER_OF(owner, i2d_CMS_ContentInfo, cms);
}

/* ---- message ---- */

static void add_attribute(CMS_SignerInfo *signer, const char *oid, int type, const void *value,
                          size_t size)
{
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    assert_int_equal(CMS_signed_add1_attr_by_OBJ(signer, object, type, value, (int)size), 1);
}

static void add_attributes(CMS_SignerInfo *signer, const struct message_wish *wish)
{
    static const uint8_t nonce[2048] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    int transaction = wish->transaction_type ? wish->transaction_type : V_ASN1_PRINTABLESTRING;
    char type[12];
    (void)snprintf(type, sizeof(type), "%d", wish->type ? wish->type : 19);
    if (!wish->no_type)
        add_attribute(signer, VERISIGN "2", V_ASN1_PRINTABLESTRING, type, strlen(type));
    if (!wish->no_nonce)
        add_attribute(signer, VERISIGN "5", V_ASN1_OCTET_STRING, nonce,
                      wish->nonce_size ? wish->nonce_size : 16);
    if (!wish->no_transaction)
        add_attribute(signer, VERISIGN "7", transaction, "a+b/c= 1", 8);
    if (wish->two_transactions) { /* two values in one attribute */
        CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(VERISIGN "7", 1);
        int at = CMS_signed_get_attr_by_OBJ(signer, object, -1);
        X509_ATTRIBUTE *attribute = CMS_signed_delete_attr(signer, at);
        assert_int_equal(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_PRINTABLESTRING, "other", 5),
                         1);
        assert_int_equal(CMS_signed_add1_attr(signer, attribute), 1);
        X509_ATTRIBUTE_free(attribute);
    }
}

struct bytes client_message(void *owner, struct client *client, const struct authority *authority,
                            struct bytes content, const struct message_wish *wish)
{
    const EVP_MD *digest = wish->digest ? wish->digest : EVP_sha256();
    const EVP_CIPHER *cipher = wish->cipher ? wish->cipher : EVP_aes_128_cbc();
    struct bytes to = wish->recipient.size ? wish->recipient : authority->registration;
    unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
    if (wish->no_certificate)
        flags |= CMS_NOCERTS;
    struct bytes inner = wish->raw_content;
    if (wish->no_attributes)
        flags |= CMS_NOATTR;
    if (wish->empty_content)
        inner = (struct bytes){(const uint8_t *)"", 0};
    else if (!inner.size)
        inner = client_envelope(owner, to, content, cipher, wish->recipients);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(inner.data, (int)inner.size);
    CMS_SignerInfo *signer = CMS_add1_signer(cms, client->certificate, client->key, digest, flags);
    assert_non_null(signer);
    if (!wish->no_attributes)
        add_attributes(signer, wish);
    if (wish->two_signers)
        assert_non_null(CMS_add1_signer(cms, client->certificate, client->key, EVP_sha512(),
                                        flags | CMS_NOCERTS));
    if (wish->no_content || wish->empty_content)
        assert_int_equal(CMS_set_detached(cms, 1), 1);
    if (!wish->ber) {
        assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
        return DER_OF(owner, i2d_CMS_ContentInfo, cms);
    }
    /* streamed: indefinite lengths, and octet strings in pieces */
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    const uint8_t *data;
    assert_int_equal(i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY), 1);
    size_t size = (size_t)BIO_get_mem_data(out, &data);
    return bytes_copy(owner, (struct bytes){data, size});
}

/* ---- reply ---- */

static ASN1_STRING *attribute_value(CMS_SignerInfo *signer, const char *oid, int type)
{
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    return CMS_signed_get0_data_by_OBJ(signer, object, -3, type);
}

static struct bytes string_bytes(void *owner, const ASN1_STRING *string)
{
    return bytes_copy(
        owner, (struct bytes){ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)});
}

static void open_content(void *owner, struct client *client, struct bytes content,
                         struct client_reply *out)
{
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = DER_READ(d2i_CMS_ContentInfo, content);
    CLEANUP(BIO_free_all_at) BIO *plain = BIO_new(BIO_s_mem());
    const uint8_t *data;
    assert_non_null(cms);
    assert_int_equal(CMS_decrypt(cms, client->key, client->certificate, NULL, plain, CMS_BINARY),
                     1);
    size_t size = (size_t)BIO_get_mem_data(plain, &data);
    struct bytes bundle = bytes_copy(owner, (struct bytes){data, size});
    CLEANUP(PKCS7_free_at) PKCS7 *p7 = DER_READ(d2i_PKCS7, bundle);
    assert_non_null(p7);
    assert_true(PKCS7_type_is_signed(p7));
    if (sk_X509_num(p7->d.sign->cert) > 0) {
        out->leaf = sk_X509_value(p7->d.sign->cert, 0);
        X509_up_ref(out->leaf);
    }
    if (sk_X509_CRL_num(p7->d.sign->crl) > 0) {
        out->crl = sk_X509_CRL_value(p7->d.sign->crl, 0);
        X509_CRL_up_ref(out->crl);
    }
}

void client_read(void *owner, struct client *client, const struct authority *authority,
                 struct bytes der, struct client_reply *out)
{
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = DER_READ(d2i_CMS_ContentInfo, der);
    CLEANUP(X509_free_at) X509 *registration = DER_READ(d2i_X509, authority->registration);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *signers = sk_X509_new_null();
    assert_non_null(cms);
    assert_true(sk_X509_push(signers, registration) > 0);
    bool empty = !*CMS_get0_content(cms);
    CLEANUP(BIO_free_all_at) BIO *none = empty ? BIO_new_mem_buf("", 0) : NULL;
    CLEANUP(BIO_free_all_at) BIO *content = BIO_new(BIO_s_mem());
    assert_int_equal(
        CMS_verify(cms, signers, NULL, none, content, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    ASN1_STRING *type = attribute_value(signer, VERISIGN "2", V_ASN1_PRINTABLESTRING);
    assert_string_equal((const char *)ASN1_STRING_get0_data(type), "3");
    ASN1_STRING *status = attribute_value(signer, VERISIGN "3", V_ASN1_PRINTABLESTRING);
    ASN1_STRING *failure = attribute_value(signer, VERISIGN "4", V_ASN1_PRINTABLESTRING);
    *out = (struct client_reply){.status = (char)*ASN1_STRING_get0_data(status)};
    out->failure = failure ? (char)*ASN1_STRING_get0_data(failure) : 0;
    out->sender_nonce =
        string_bytes(owner, attribute_value(signer, VERISIGN "5", V_ASN1_OCTET_STRING));
    out->recipient_nonce =
        string_bytes(owner, attribute_value(signer, VERISIGN "6", V_ASN1_OCTET_STRING));
    out->transaction = bytes_to_text(
        owner, string_bytes(owner, attribute_value(signer, VERISIGN "7", V_ASN1_PRINTABLESTRING)));
    const uint8_t *data;
    size_t size = (size_t)BIO_get_mem_data(content, &data);
    assert_int_equal(empty, out->status != '0');
    if (!empty)
        open_content(owner, client, bytes_copy(owner, (struct bytes){data, size}), out);
}
