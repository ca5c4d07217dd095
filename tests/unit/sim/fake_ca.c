/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_ca.h"

#include <openssl/err.h>
#include <stdio.h>

#define OID_BASE "2.16.840.1.113733.1.9."

struct exchange {
    const struct fake_ca *ca;
    X509 *requester; /* borrowed from the message */
    const ASN1_STRING *transaction, *nonce;
    X509_REQ *request;
};

static X509 *certificate_issue(const struct fake_ca *ca, EVP_PKEY *key, const X509_NAME *subject,
                               bool authority)
{
    X509 *made = X509_new();
    static const char *const constraints[] = {"critical,CA:FALSE", "critical,CA:TRUE"};
    static const char *const usages[] = {
        "critical,digitalSignature,keyEncipherment",
        "critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment"};
    const struct {
        int nid;
        const char *value;
    } extensions[] = {{NID_basic_constraints, constraints[authority]},
                      {NID_key_usage, usages[authority]}};
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), (uint64_t)time(NULL));
    X509_set_subject_name(made, subject);
    X509_set_issuer_name(made, authority ? subject : X509_get_subject_name(ca->certificate));
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 24 * 3600);
    X509_set_pubkey(made, key);
    for (size_t i = 0; i < COUNT(extensions); i++) {
        X509_EXTENSION *one =
            X509V3_EXT_conf_nid(NULL, NULL, extensions[i].nid, extensions[i].value);
        X509_add_ext(made, one, -1);
        X509_EXTENSION_free(one);
    }
    X509_sign(made, ca->key, EVP_sha256());
    return made;
}

void fake_ca_make(struct fake_ca *ca)
{
    *ca = (struct fake_ca){.key = EVP_RSA_gen(2048)};
    CLEANUP(X509_NAME_free_at) X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Fake root", -1,
                               -1, 0);
    ca->certificate = certificate_issue(ca, ca->key, name, true);
}

static const ASN1_STRING *attribute(CMS_SignerInfo *signer, const char *oid, int type)
{
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    return CMS_signed_get0_data_by_OBJ(signer, object, -3, type);
}

/* Open signature and envelope; the request is the caller's. */
static bool message_read(struct exchange *exchange, CMS_ContentInfo *cms)
{
    CLEANUP(BIO_free_all_at) BIO *outer = BIO_new(BIO_s_mem());
    CLEANUP(BIO_free_all_at) BIO *inner = BIO_new(BIO_s_mem());
    if (CMS_verify(cms, NULL, NULL, NULL, outer, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1)
        return false;
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    const ASN1_STRING *type = attribute(signer, OID_BASE "2", V_ASN1_PRINTABLESTRING);
    exchange->transaction = attribute(signer, OID_BASE "7", V_ASN1_PRINTABLESTRING);
    exchange->nonce = attribute(signer, OID_BASE "5", V_ASN1_OCTET_STRING);
    STACK_OF(X509) *signers = CMS_get0_signers(cms);
    exchange->requester = sk_X509_value(signers, 0);
    sk_X509_free(signers);
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *envelope = d2i_CMS_bio(outer, NULL);
    if (!type || !envelope ||
        CMS_decrypt(envelope, exchange->ca->key, exchange->ca->certificate, NULL, inner,
                    CMS_BINARY) != 1)
        return false;
    exchange->request = d2i_X509_REQ_bio(inner, NULL);
    return true;
}

static bool challenge_fits(const struct exchange *exchange)
{
    int at = X509_REQ_get_attr_by_NID(exchange->request, NID_pkcs9_challengePassword, -1);
    X509_ATTRIBUTE *attribute_found = X509_REQ_get_attr(exchange->request, at);
    if (!attribute_found || X509_ATTRIBUTE_count(attribute_found) != 1)
        return false;
    ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute_found, 0);
    const ASN1_STRING *text = value->value.asn1_string;
    size_t size = (size_t)ASN1_STRING_length(text);
    return size == strlen(exchange->ca->challenge) &&
           memcmp(ASN1_STRING_get0_data(text), exchange->ca->challenge, size) == 0;
}

static BIO *payload_make(const struct exchange *exchange)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = X509_REQ_get_pubkey(exchange->request);
    CLEANUP(X509_free_at)
    X509 *leaf =
        certificate_issue(exchange->ca, key, X509_REQ_get_subject_name(exchange->request), false);
    PKCS7 *degenerate = PKCS7_new();
    PKCS7_set_type(degenerate, NID_pkcs7_signed);
    PKCS7_content_new(degenerate, NID_pkcs7_data);
    PKCS7_add_certificate(degenerate, leaf);
    CLEANUP(BIO_free_all_at) BIO *inner = BIO_new(BIO_s_mem());
    i2d_PKCS7_bio(inner, degenerate);
    PKCS7_free(degenerate);
    STACK_OF(X509) *to = sk_X509_new_null();
    sk_X509_push(to, exchange->requester);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *envelope = CMS_encrypt(to, inner, EVP_aes_128_cbc(), CMS_BINARY);
    sk_X509_free(to);
    BIO *out = BIO_new(BIO_s_mem());
    i2d_CMS_bio(out, envelope);
    return out;
}

static void attribute_put(CMS_SignerInfo *signer, const char *oid, int type, const void *data,
                          int size)
{
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    CMS_signed_add1_attr_by_OBJ(signer, object, type, data, size);
}

static void attributes_put(const struct exchange *exchange, CMS_SignerInfo *signer,
                           const char *status)
{
    const char *transaction = (const char *)ASN1_STRING_get0_data(exchange->transaction);
    int size = ASN1_STRING_length(exchange->transaction);
    attribute_put(signer, OID_BASE "2", V_ASN1_PRINTABLESTRING, "3", 1);
    attribute_put(signer, OID_BASE "3", V_ASN1_PRINTABLESTRING, status, 1);
    if (status[0] == '2')
        attribute_put(signer, OID_BASE "4", V_ASN1_PRINTABLESTRING, "2", 1);
    attribute_put(signer, OID_BASE "5", V_ASN1_OCTET_STRING, "0123456789abcdef", 16);
    if (exchange->ca->wrong_nonce)
        attribute_put(signer, OID_BASE "6", V_ASN1_OCTET_STRING, "0123456789abcdef", 16);
    else
        attribute_put(signer, OID_BASE "6", V_ASN1_OCTET_STRING,
                      ASN1_STRING_get0_data(exchange->nonce), ASN1_STRING_length(exchange->nonce));
    if (exchange->ca->wrong_transaction)
        attribute_put(signer, OID_BASE "7", V_ASN1_PRINTABLESTRING, "another", 7);
    else
        attribute_put(signer, OID_BASE "7", V_ASN1_PRINTABLESTRING, transaction, size);
}

/* RFC 8894 3.3.2: without content for FAILURE and PENDING. */
static struct bytes reply_sign(void *owner, const struct exchange *exchange, const char *status,
                               BIO *content)
{
    const struct fake_ca *ca = exchange->ca;
    struct fake_ca stranger = {0};
    unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    if (ca->stranger_signs)
        fake_ca_make(&stranger);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *reply = CMS_sign(NULL, NULL, NULL, NULL, flags | (content ? 0 : CMS_DETACHED));
    CMS_SignerInfo *signer =
        CMS_add1_signer(reply, ca->stranger_signs ? stranger.certificate : ca->certificate,
                        ca->stranger_signs ? stranger.key : ca->key, EVP_sha256(), flags);
    CLEANUP(BIO_free_all_at) BIO *nothing = BIO_new_mem_buf("", 0);
    attributes_put(exchange, signer, status);
    CMS_final(reply, content ? content : nothing, NULL, flags);
    CLEANUP(BIO_free_all_at) BIO *der = BIO_new(BIO_s_mem());
    i2d_CMS_bio(der, reply);
    EVP_PKEY_free(stranger.key);
    X509_free(stranger.certificate);
    return bio_bytes(owner, der);
}

struct bytes fake_ca_answer(void *owner, const struct fake_ca *ca, struct bytes message)
{
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(message.data, (int)message.size);
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
    struct exchange exchange = {.ca = ca};
    if (!cms || !message_read(&exchange, cms)) {
        ERR_clear_error();
        return NO_BYTES;
    }
    CLEANUP(X509_REQ_free_at) X509_REQ *request = exchange.request;
    if (ca->pending)
        return reply_sign(owner, &exchange, "3", NULL);
    if (!request || !challenge_fits(&exchange))
        return reply_sign(owner, &exchange, "2", NULL);
    CLEANUP(BIO_free_all_at) BIO *payload = payload_make(&exchange);
    return reply_sign(owner, &exchange, "0", payload);
}
