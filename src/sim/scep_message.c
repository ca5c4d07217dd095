/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scep_message.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdio.h>

#include "base/id.h"
#include "base/text.h"

/* RFC 8894 3.2.1 */
#define OID_MESSAGE_TYPE "2.16.840.1.113733.1.9.2"
#define OID_PKI_STATUS "2.16.840.1.113733.1.9.3"
#define OID_FAIL_INFO "2.16.840.1.113733.1.9.4"
#define OID_SENDER_NONCE "2.16.840.1.113733.1.9.5"
#define OID_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6"
#define OID_TRANSACTION_ID "2.16.840.1.113733.1.9.7"
#define OID_FAIL_INFO_TEXT "1.3.6.1.5.5.7.24.1"

#define SELF_SIGNED_SECONDS (7 * 24 * 3600L)
#define ATTRIBUTE_MAX 255 /* bytes of an attribute that we keep */

static int transaction_free(struct scep_transaction *transaction)
{
    EVP_PKEY_free(transaction->key);
    X509_free(transaction->self);
    return 0;
}

static int answer_free(struct scep_answer *answer)
{
    X509_free(answer->certificate);
    return 0;
}

/* RFC 8894 2.3: the key travels in a self-signed certificate with the request's subject. */
static X509 *self_signed_make(EVP_PKEY *key, const X509_NAME *subject)
{
    X509 *self = mem_must(X509_new());
    uint64_t serial = 0;
    random_bytes(&serial, sizeof(serial));
    serial >>= 1;
    if (!X509_set_version(self, X509_VERSION_3) ||
        !ASN1_INTEGER_set_uint64(X509_get_serialNumber(self), serial) ||
        !X509_set_subject_name(self, subject) || !X509_set_issuer_name(self, subject) ||
        !X509_gmtime_adj(X509_getm_notBefore(self), -3600) ||
        !X509_gmtime_adj(X509_getm_notAfter(self), SELF_SIGNED_SECONDS) ||
        !X509_set_pubkey(self, key) || X509_sign(self, key, EVP_sha256()) <= 0) {
        X509_free(self);
        return NULL;
    }
    return self;
}

bool scep_begin(void *owner, EVP_PKEY *key, const X509_NAME *subject, struct scep_transaction **out,
                struct err *err)
{
    CLEANUP(mem_free_at) struct scep_transaction *made = mem_new(NULL, struct scep_transaction);
    mem_destructor(made, transaction_free);
    made->self = self_signed_make(key, subject);
    if (!made->self)
        return openssl_failed(err, ERR_INTERNAL, "making the message's certificate");
    EVP_PKEY_up_ref(key);
    made->key = key;
    uint8_t id[32];
    random_bytes(id, sizeof(id));
    CLEANUP(mem_free_at) char *hex = text_hex(NULL, BYTES_OF(id));
    (void)snprintf(made->id, sizeof(made->id), "%s", hex);
    *out = mem_give(owner, &made);
    return true;
}

bool scep_poll_make(void *owner, const X509 *authority, const X509_NAME *subject, struct bytes *out,
                    struct err *err)
{
    uint8_t *issuer_der = NULL, *subject_der = NULL;
    int issuer_size = i2d_X509_NAME(X509_get_subject_name(authority), &issuer_der);
    int subject_size = i2d_X509_NAME(subject, &subject_der);
    bool done = issuer_size > 0 && subject_size > 0;
    if (done) {
        int size = issuer_size + subject_size;
        int whole = ASN1_object_size(1, size, V_ASN1_SEQUENCE);
        uint8_t *der = mem_array(owner, uint8_t, (size_t)whole), *at = der;
        ASN1_put_object(&at, 1, size, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
        memcpy(at, issuer_der, (size_t)issuer_size);
        memcpy(at + issuer_size, subject_der, (size_t)subject_size);
        *out = (struct bytes){der, (size_t)whole};
    }
    OPENSSL_free(issuer_der);
    OPENSSL_free(subject_der);
    return done || openssl_failed(err, ERR_INTERNAL, "making a poll");
}

/* ---- sending ---- */

static bool attribute_add(CMS_SignerInfo *signer, const char *oid, int type, struct bytes value)
{
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    return object &&
           CMS_signed_add1_attr_by_OBJ(signer, object, type, value.data, (int)value.size) == 1;
}

static bool attributes_add(CMS_SignerInfo *signer, struct scep_transaction *transaction,
                           enum scep_type type)
{
    char number[8];
    (void)snprintf(number, sizeof(number), "%d", (int)type);
    random_bytes(transaction->nonce, sizeof(transaction->nonce));
    return attribute_add(signer, OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING, bytes_text(number)) &&
           attribute_add(signer, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING,
                         bytes_text(transaction->id)) &&
           attribute_add(signer, OID_SENDER_NONCE, V_ASN1_OCTET_STRING,
                         BYTES_OF(transaction->nonce));
}

static CMS_ContentInfo *envelope_make(const struct scep_transaction *transaction,
                                      struct bytes content, X509 *recipient)
{
    CLEANUP(BIO_free_all_at) BIO *in = mem_must(BIO_new_mem_buf(content.data, (int)content.size));
    STACK_OF(X509) *to = mem_must(sk_X509_new_null());
    sk_X509_push(to, recipient);
    const EVP_CIPHER *cipher = EVP_aes_128_cbc();
    if (transaction->single_des) {
        (void)OSSL_PROVIDER_load(NULL, "default");
        (void)OSSL_PROVIDER_load(NULL, "legacy");
        cipher = EVP_des_cbc();
    }
    CMS_ContentInfo *envelope = CMS_encrypt(to, in, cipher, CMS_BINARY);
    sk_X509_free(to);
    return envelope;
}

static CMS_ContentInfo *message_sign(struct scep_transaction *transaction, enum scep_type type,
                                     BIO *envelope)
{
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP;
    CMS_ContentInfo *message = CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_PARTIAL);
    CMS_SignerInfo *signer =
        message ? CMS_add1_signer(message, transaction->self, transaction->key, EVP_sha256(), flags)
                : NULL;
    if (!signer || !attributes_add(signer, transaction, type) ||
        !CMS_final(message, envelope, NULL, flags)) {
        CMS_ContentInfo_free(message);
        return NULL;
    }
    return message;
}

bool scep_seal(void *owner, struct scep_transaction *transaction, enum scep_type type,
               struct bytes content, X509 *recipient, struct bytes *out, struct err *err)
{
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *envelope = envelope_make(transaction, content, recipient);
    CLEANUP(BIO_free_all_at) BIO *middle = mem_must(BIO_new(BIO_s_mem()));
    if (!envelope || i2d_CMS_bio(middle, envelope) != 1)
        return openssl_failed(err, ERR_INTERNAL, "making a SCEP envelope");
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *message = message_sign(transaction, type, middle);
    CLEANUP(BIO_free_all_at) BIO *der = mem_must(BIO_new(BIO_s_mem()));
    if (!message || i2d_CMS_bio(der, message) != 1)
        return openssl_failed(err, ERR_INTERNAL, "signing a SCEP message");
    *out = bio_bytes(owner, der);
    return true;
}

/* ---- receiving ---- */

static CMS_ContentInfo *cms_parse(struct bytes der)
{
    const uint8_t *at = der.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.size);
    if (cms && at != der.data + der.size) {
        CMS_ContentInfo_free(cms);
        return NULL;
    }
    return cms;
}

/* The attribute's one value, or NULL when absent, of another type or more than one. */
static const ASN1_STRING *attribute_get(CMS_SignerInfo *signer, const char *oid, int type)
{
    CLEANUP(ASN1_OBJECT_free_at) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    /* -3: exactly one attribute of this kind with exactly one value (X509at_get0_data_by_OBJ) */
    const ASN1_STRING *value = CMS_signed_get0_data_by_OBJ(signer, object, -3, type);
    ERR_clear_error();
    return value && ASN1_STRING_length(value) <= ATTRIBUTE_MAX ? value : NULL;
}

static bool attribute_is(CMS_SignerInfo *signer, const char *oid, int type, struct bytes wanted)
{
    const ASN1_STRING *value = attribute_get(signer, oid, type);
    return value && bytes_equal(wanted, (struct bytes){ASN1_STRING_get0_data(value),
                                                       (size_t)ASN1_STRING_length(value)});
}

static int attribute_number(CMS_SignerInfo *signer, const char *oid)
{
    const ASN1_STRING *value = attribute_get(signer, oid, V_ASN1_PRINTABLESTRING);
    int64_t number = -1;
    struct err ignored;
    if (!value || !number_parse((struct bytes){ASN1_STRING_get0_data(value),
                                               (size_t)ASN1_STRING_length(value)},
                                0, 99, &number, &ignored))
        return -1;
    return (int)number;
}

static bool content_decrypt(const struct scep_transaction *transaction, struct bytes envelope,
                            BIO *out, struct err *err)
{
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = cms_parse(envelope);
    if (!cms || CMS_decrypt(cms, transaction->key, transaction->self, NULL, out, CMS_BINARY) != 1)
        return openssl_failed(err, ERR_BAD_INPUT, "opening the envelope of a CertRep");
    return true;
}

/* The certificate with our key, and the others beside it. */
static bool certificates_take(const struct scep_transaction *transaction, struct bytes content,
                              struct scep_answer *answer, struct err *err)
{
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = cms_parse(content);
    STACK_OF(X509) *all = cms ? CMS_get1_certs(cms) : NULL;
    if (!all)
        return openssl_failed(err, ERR_BAD_INPUT, "a CertRep without certificates");
    struct certificates *others = certificates_new(answer);
    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *one = sk_X509_value(all, i);
        bool ours = EVP_PKEY_eq(X509_get0_pubkey(one), transaction->key) == 1;
        if (ours && !answer->certificate && X509_up_ref(one))
            answer->certificate = one;
        else
            certificates_add(others, one);
    }
    sk_X509_pop_free(all, X509_free);
    answer->others = others;
    ERR_clear_error();
    return answer->certificate ||
           err_set(err, ERR_BAD_INPUT, "no certificate in the CertRep is for our key");
}

static bool attributes_check(CMS_SignerInfo *signer, const struct scep_transaction *transaction,
                             struct err *err)
{
    if (attribute_number(signer, OID_MESSAGE_TYPE) != SCEP_CERT_REP)
        return err_set(err, ERR_BAD_INPUT, "the answer is not a CertRep");
    if (!attribute_is(signer, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING,
                      bytes_text(transaction->id)))
        return err_set(err, ERR_BAD_INPUT, "the CertRep is for another transaction");
    if (!attribute_is(signer, OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING,
                      BYTES_OF(transaction->nonce)))
        return err_set(err, ERR_BAD_INPUT, "the CertRep does not return our nonce");
    if (!attribute_get(signer, OID_SENDER_NONCE, V_ASN1_OCTET_STRING))
        return err_set(err, ERR_BAD_INPUT, "the CertRep has no nonce of its own");
    return true;
}

static bool status_take(CMS_SignerInfo *signer, struct scep_answer *answer, struct err *err)
{
    int status = attribute_number(signer, OID_PKI_STATUS);
    if (status != SCEP_SUCCESS && status != SCEP_FAILURE && status != SCEP_PENDING)
        return err_set(err, ERR_BAD_INPUT, "the CertRep has no pkiStatus that we know");
    answer->status = (enum scep_status)status;
    answer->fail_info = status == SCEP_FAILURE ? attribute_number(signer, OID_FAIL_INFO) : -1;
    const ASN1_STRING *text = attribute_get(signer, OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING);
    if (text)
        answer->fail_text = mem_text_part(answer, (const char *)ASN1_STRING_get0_data(text),
                                          (size_t)ASN1_STRING_length(text));
    if (status == SCEP_FAILURE && (answer->fail_info < 0 || answer->fail_info > 4))
        return err_set(err, ERR_BAD_INPUT, "a CertRep of failure without failInfo");
    return true;
}

/* Signed by one of the authority's certificates: those in the message itself do not count. */
static CMS_SignerInfo *signature_check(CMS_ContentInfo *cms, const struct certificates *authority,
                                       BIO *content, struct err *err)
{
    ASN1_OCTET_STRING **inside = CMS_get0_content(cms);
    CLEANUP(BIO_free_all_at) BIO *nothing = mem_must(BIO_new_mem_buf("", 0));
    bool absent = !inside || !*inside;
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (!signers || sk_CMS_SignerInfo_num(signers) != 1) {
        err_set(err, ERR_BAD_INPUT, "a CertRep has exactly one signer");
        return NULL;
    }
    if (CMS_verify(cms, certificates_stack(authority), NULL, absent ? nothing : NULL, content,
                   CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
        openssl_failed(err, ERR_FORBIDDEN, "the signature of a CertRep");
        return NULL;
    }
    return sk_CMS_SignerInfo_value(signers, 0);
}

bool scep_open(void *owner, const struct scep_transaction *transaction,
               const struct certificates *authority, struct bytes message, struct scep_answer **out,
               struct err *err)
{
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = cms_parse(message);
    if (!cms || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
        return openssl_failed(err, ERR_BAD_INPUT, "the answer is not signed data");
    CLEANUP(BIO_free_all_at) BIO *outer = mem_must(BIO_new(BIO_s_mem()));
    CLEANUP(BIO_free_all_at) BIO *inner = mem_must(BIO_new(BIO_s_mem()));
    CLEANUP(mem_free_at) struct scep_answer *answer = mem_new(NULL, struct scep_answer);
    mem_destructor(answer, answer_free);
    CMS_SignerInfo *signer = signature_check(cms, authority, outer, err);
    if (!signer || !attributes_check(signer, transaction, err) || !status_take(signer, answer, err))
        return false;
    if (answer->status == SCEP_SUCCESS &&
        (!content_decrypt(transaction, bio_bytes(answer, outer), inner, err) ||
         !certificates_take(transaction, bio_bytes(answer, inner), answer, err)))
        return false;
    *out = mem_give(owner, &answer);
    return true;
}
