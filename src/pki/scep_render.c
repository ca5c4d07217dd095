/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CertRep.  The SignedData is written here as DER, because OpenSSL's CMS wants to hold the key
 * that signs: keyd gets the signed attributes and gives the signature.
 */
#include "base/id.h"
#include "pki/cms.h"
#include "pki/oid.h"
#include "pki/openssl.h"
#include "pki/scep_layers.h"

enum status { STATUS_SUCCESS = '0', STATUS_FAILURE = '2', STATUS_PENDING = '3' };

#define NONCE_SIZE 16
#define ATTRIBUTES_MAX 8

static const uint8_t oid_data[] = {OID_DATA}, oid_signed[] = {OID_SIGNED_DATA},
                     oid_rsa[] = {OID_RSA}, oid_sha256[] = {OID_SHA256},
                     oid_sha384[] = {OID_SHA384}, oid_sha512[] = {OID_SHA512},
                     oid_sha1[] = {OID_SHA1};
static const uint8_t oid_content_type[] = {OID_CONTENT_TYPE}, oid_digest[] = {OID_MESSAGE_DIGEST},
                     oid_type[] = {OID_SCEP_MESSAGE_TYPE}, oid_status[] = {OID_SCEP_PKI_STATUS},
                     oid_failure[] = {OID_SCEP_FAIL_INFO},
                     oid_sender_nonce[] = {OID_SCEP_SENDER_NONCE},
                     oid_recipient_nonce[] = {OID_SCEP_RECIPIENT_NONCE},
                     oid_transaction[] = {OID_SCEP_TRANSACTION};
static const uint8_t one[] = {1};

static const struct digest_row {
    struct bytes oid;
    const EVP_MD *(*digest)(void);
} digest_rows[] = {
    [KEYD_SHA256] = {BYTES_OF(oid_sha256), EVP_sha256},
    [KEYD_SHA384] = {BYTES_OF(oid_sha384), EVP_sha384},
    [KEYD_SHA512] = {BYTES_OF(oid_sha512), EVP_sha512},
    [KEYD_SHA1] = {BYTES_OF(oid_sha1), EVP_sha1},
};

static const EVP_CIPHER *(*const ciphers[])(void) = {
    [SCEP_AES128] = EVP_aes_128_cbc,
    [SCEP_AES192] = EVP_aes_192_cbc,
    [SCEP_AES256] = EVP_aes_256_cbc,
    [SCEP_DES3] = EVP_des_ede3_cbc,
};

struct reply {
    void *owner;
    struct keyd *keyd;
    const struct authority *authority;
    const struct scep_message *message;
    enum status status;
    enum scep_failure failure;
    struct bytes content; /* eContent; size 0 is absent (RFC 8894 3.3.2.2, 3.3.2.3) */
};

static struct bytes attribute(void *owner, struct bytes oid, uint8_t tag, struct bytes value)
{
    return DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_OID, oid),
                    DER_MAKE(owner, DER_SET, DER_MAKE(owner, tag, value)));
}

/* The signed attributes with tag SET, sorted as DER wants a SET OF. */
static struct bytes attributes_make(const struct reply *reply)
{
    void *owner = reply->owner;
    const struct scep_message *message = reply->message;
    uint8_t hash[EVP_MAX_MD_SIZE], nonce[NONCE_SIZE];
    unsigned hash_size = 0;
    const uint8_t status = (uint8_t)reply->status, failure = (uint8_t)('0' + reply->failure);
    struct bytes list[ATTRIBUTES_MAX];
    size_t count = 0,
           nonce_size = message->sender_nonce.size < NONCE_SIZE ? SCEP_NONCE_MIN : NONCE_SIZE;
    random_bytes(nonce, sizeof(nonce));
    struct bytes content = reply->content.size ? reply->content : (struct bytes){one, 0};
    if (EVP_Digest(content.data, content.size, hash, &hash_size,
                   digest_rows[message->digest].digest(), NULL) != 1)
        bug("a digest of the default provider failed");
    list[count++] = attribute(owner, BYTES_OF(oid_content_type), DER_OID, BYTES_OF(oid_data));
    list[count++] =
        attribute(owner, BYTES_OF(oid_digest), DER_OCTET_STRING, (struct bytes){hash, hash_size});
    list[count++] = attribute(owner, BYTES_OF(oid_type), DER_PRINTABLE_STRING, bytes_text("3"));
    list[count++] =
        attribute(owner, BYTES_OF(oid_status), DER_PRINTABLE_STRING, (struct bytes){&status, 1});
    if (reply->status == STATUS_FAILURE)
        list[count++] = attribute(owner, BYTES_OF(oid_failure), DER_PRINTABLE_STRING,
                                  (struct bytes){&failure, 1});
    list[count++] = attribute(owner, BYTES_OF(oid_sender_nonce), DER_OCTET_STRING,
                              (struct bytes){nonce, nonce_size});
    list[count++] =
        attribute(owner, BYTES_OF(oid_recipient_nonce), DER_OCTET_STRING, message->sender_nonce);
    list[count++] = attribute(owner, BYTES_OF(oid_transaction), DER_PRINTABLE_STRING,
                              bytes_text(message->transaction));
    return der_make_set(owner, DER_SET, list, count);
}

static bool signer_id(void *owner, struct bytes registration, struct bytes *out, struct err *err)
{
    CLEANUP(X509_free_at) X509 *certificate = DER_READ(d2i_X509, registration);
    if (!certificate)
        return openssl_fail(err, ERR_INTERNAL, "the registration authority's certificate");
    struct bytes issuer = DER_OF(owner, i2d_X509_NAME, X509_get_issuer_name(certificate));
    struct bytes serial = DER_OF(owner, i2d_ASN1_INTEGER, X509_get0_serialNumber(certificate));
    *out = DER_MAKE(owner, DER_SEQUENCE, issuer, serial);
    return true;
}

static struct bytes algorithm(void *owner, struct bytes oid)
{
    struct bytes null = {(const uint8_t[]){0x05, 0x00}, 2};
    return DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_OID, oid), null);
}

static bool signer_info(const struct reply *reply, struct bytes *out, struct err *err)
{
    void *owner = reply->owner;
    const struct digest_row *row = &digest_rows[reply->message->digest];
    struct bytes id, signature, attributes = attributes_make(reply);
    struct reader inside = reader_of(attributes);
    struct bytes implicit = DER_MAKE(owner, DER_CONTEXT_0, der_take(&inside, DER_SET));
    if (!signer_id(owner, reply->authority->registration, &id, err) ||
        !keyd_sign_reply(reply->keyd, owner, reply->authority->number, attributes,
                         reply->message->digest, &signature, err))
        return false;
    *out = DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_INTEGER, BYTES_OF(one)), id,
                    algorithm(owner, row->oid), implicit, algorithm(owner, BYTES_OF(oid_rsa)),
                    DER_MAKE(owner, DER_OCTET_STRING, signature));
    return true;
}

static bool reply_make(const struct reply *reply, struct bytes *out, struct err *err)
{
    void *owner = reply->owner;
    struct bytes signer, content = NO_BYTES;
    if (!signer_info(reply, &signer, err))
        return err_context(err, "SCEP reply");
    if (reply->content.size)
        content = DER_MAKE(owner, DER_CONTEXT_0, DER_MAKE(owner, DER_OCTET_STRING, reply->content));
    struct bytes digest = algorithm(owner, digest_rows[reply->message->digest].oid);
    struct bytes data = DER_MAKE(
        owner, DER_SEQUENCE, DER_MAKE(owner, DER_INTEGER, BYTES_OF(one)),
        DER_MAKE(owner, DER_SET, digest),
        DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_OID, BYTES_OF(oid_data)), content),
        DER_MAKE(owner, DER_CONTEXT_0, reply->authority->registration),
        DER_MAKE(owner, DER_SET, signer));
    *out = DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_OID, BYTES_OF(oid_signed)),
                    DER_MAKE(owner, DER_CONTEXT_0, data));
    return true;
}

/* Encrypt to the certificate that signed the message, whatever key usage it claims. */
static bool envelope_make(void *owner, const struct scep_message *message, struct bytes content,
                          struct bytes *out, struct err *err)
{
    CLEANUP(X509_free_at) X509 *recipient = DER_READ(d2i_X509, message->signer.der);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *recipients = sk_X509_new_null();
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(content.data, (int)content.size);
    if (!recipient || !recipients || !in || sk_X509_push(recipients, recipient) <= 0)
        return openssl_fail(err, ERR_INTERNAL, "SCEP reply");
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_encrypt(recipients, in, ciphers[message->cipher](), CMS_BINARY);
    if (!cms)
        return openssl_fail(err, ERR_INTERNAL, "encrypting a SCEP reply");
    *out = DER_OF(owner, i2d_CMS_ContentInfo, cms);
    return true;
}

static bool success_make(struct reply *reply, struct bytes bundle, struct bytes *out,
                         struct err *err)
{
    return envelope_make(reply->owner, reply->message, bundle, &reply->content, err) &&
           reply_make(reply, out, err);
}

bool scep_render_success(void *owner, struct keyd *keyd, const struct authority *authority,
                         const struct scep_message *message, struct bytes certificate,
                         struct bytes issuing, struct bytes *out, struct err *err)
{
    struct reply reply = {owner,           keyd,    authority, message, STATUS_SUCCESS,
                          SCEP_NO_FAILURE, NO_BYTES};
    const struct bytes certificates[] = {certificate, issuing};
    return success_make(&reply, cms_bundle(owner, certificates, COUNT(certificates), NO_BYTES), out,
                        err);
}

bool scep_render_crl(void *owner, struct keyd *keyd, const struct authority *authority,
                     const struct scep_message *message, struct bytes crl, struct bytes *out,
                     struct err *err)
{
    struct reply reply = {owner,           keyd,    authority, message, STATUS_SUCCESS,
                          SCEP_NO_FAILURE, NO_BYTES};
    return success_make(&reply, cms_bundle(owner, NULL, 0, crl), out, err);
}

bool scep_render_failure(void *owner, struct keyd *keyd, const struct authority *authority,
                         const struct scep_message *message, enum scep_failure failure,
                         struct bytes *out, struct err *err)
{
    if (failure < SCEP_BAD_ALGORITHM || failure > SCEP_BAD_CERTIFICATE)
        bug("no such SCEP failure: %d", (int)failure);
    struct reply reply = {owner, keyd, authority, message, STATUS_FAILURE, failure, NO_BYTES};
    return reply_make(&reply, out, err);
}

bool scep_render_pending(void *owner, struct keyd *keyd, const struct authority *authority,
                         const struct scep_message *message, struct bytes *out, struct err *err)
{
    struct reply reply = {owner,           keyd,    authority, message, STATUS_PENDING,
                          SCEP_NO_FAILURE, NO_BYTES};
    return reply_make(&reply, out, err);
}

struct bytes scep_authority_render(void *owner, const struct authority *authority, bool with_root)
{
    const struct bytes certificates[] = {authority->registration, authority->issuing,
                                         authority->root};
    return cms_bundle(owner, certificates, with_root ? 3 : 2, NO_BYTES);
}
