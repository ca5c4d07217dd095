/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/oid.h"
#include "pki/openssl.h"
#include "pki/scep_layers.h"

#define BLOCK_MAX 16 /* of AES; 3DES has 8 */

static const uint8_t oid_data[] = {OID_DATA}, oid_enveloped[] = {OID_ENVELOPED_DATA},
                     oid_rsa[] = {OID_RSA}, oid_aes128[] = {OID_AES128_CBC},
                     oid_aes192[] = {OID_AES192_CBC}, oid_aes256[] = {OID_AES256_CBC},
                     oid_des3[] = {OID_DES3_CBC};

static const struct cipher_row {
    struct bytes oid;
    size_t key_size, block_size;
    const EVP_CIPHER *(*cipher)(void);
} cipher_rows[] = {
    [SCEP_AES128] = {BYTES_OF(oid_aes128), 16, 16, EVP_aes_128_cbc},
    [SCEP_AES192] = {BYTES_OF(oid_aes192), 24, 16, EVP_aes_192_cbc},
    [SCEP_AES256] = {BYTES_OF(oid_aes256), 32, 16, EVP_aes_256_cbc},
    [SCEP_DES3] = {BYTES_OF(oid_des3), 24, 8, EVP_des_ede3_cbc},
};

size_t scep_cipher_key_size(enum scep_cipher cipher)
{
    return cipher_rows[cipher].key_size;
}

static bool malformed(struct err *err)
{
    return err_set(err, ERR_BAD_INPUT, "malformed envelope");
}

/* KeyTransRecipientInfo by issuer and serial; every other kind has a context tag. */
static bool recipient_read(struct reader *list, struct scep_envelope *out, struct err *err)
{
    if (!der_peek(list, DER_SEQUENCE))
        return err_set(err, ERR_FORBIDDEN, "a recipient that is not found by an RSA key");
    struct reader info = reader_of(der_take(list, DER_SEQUENCE));
    (void)der_take(&info, DER_INTEGER);
    if (!der_peek(&info, DER_SEQUENCE))
        return err_set(err, ERR_FORBIDDEN, "a recipient without issuer and serial number");
    struct reader id = reader_of(der_take(&info, DER_SEQUENCE));
    struct reader algorithm = reader_of(der_take(&info, DER_SEQUENCE));
    struct bytes oid = der_take(&algorithm, DER_OID);
    size_t at = out->recipient_count;
    if (at == SCEP_RECIPIENTS_MAX)
        return err_set(err, ERR_BAD_INPUT, "more than %d recipients", SCEP_RECIPIENTS_MAX);
    out->recipients[at].id.issuer = der_next(&id).whole;
    out->recipients[at].id.serial = der_take(&id, DER_INTEGER);
    out->recipients[at].wrapped = der_take(&info, DER_OCTET_STRING);
    if (!reader_done(&info) || !reader_done(&id) || !reader_ok(list) ||
        out->recipients[at].wrapped.size > SCEP_WRAPPED_MAX)
        return malformed(err);
    if (!bytes_equal(oid, BYTES_OF(oid_rsa)))
        return err_set(err, ERR_FORBIDDEN, "a content key that is not encrypted by PKCS#1 v1.5");
    out->recipient_count++;
    return true;
}

static bool recipients_read(struct bytes set, struct scep_envelope *out, struct err *err)
{
    struct reader list = reader_of(set);
    while (reader_left(&list) > 0)
        if (!recipient_read(&list, out, err))
            return false;
    return out->recipient_count > 0 || malformed(err);
}

static bool cipher_read(struct bytes der, struct scep_envelope *out, struct err *err)
{
    struct reader algorithm = reader_of(der);
    struct bytes oid = der_take(&algorithm, DER_OID);
    for (size_t i = SCEP_AES128; i < COUNT(cipher_rows); i++)
        if (bytes_equal(oid, cipher_rows[i].oid)) {
            out->cipher = (enum scep_cipher)i;
            out->iv = der_take(&algorithm, DER_OCTET_STRING);
            return (reader_done(&algorithm) && out->iv.size == cipher_rows[i].block_size) ||
                   malformed(err);
        }
    return err_set(err, ERR_FORBIDDEN, "a content cipher other than AES-CBC");
}

/* [0] IMPLICIT OCTET STRING: whole, or in pieces as BER writers leave it. */
static bool ciphertext_read(void *owner, struct reader *in, struct scep_envelope *out)
{
    struct der_element element = der_next(in);
    if (!reader_ok(in))
        return false;
    if (element.tag == DER_CONTEXT_0_PRIMITIVE) {
        out->ciphertext = element.content;
    } else if (element.tag == DER_CONTEXT_0) {
        struct buffer joined;
        struct reader pieces = reader_of(element.content);
        buffer_init(&joined, owner, element.content.size);
        while (reader_left(&pieces) > 0 && reader_ok(&pieces))
            buffer_add(&joined, der_take(&pieces, DER_OCTET_STRING));
        if (!reader_ok(&pieces) || joined.failed)
            return false;
        out->ciphertext = (struct bytes){joined.data, joined.size};
    } else {
        return false;
    }
    return out->ciphertext.size > 0 &&
           out->ciphertext.size % cipher_rows[out->cipher].block_size == 0;
}

static bool enveloped_read(void *owner, struct bytes der, struct scep_envelope *out,
                           struct err *err)
{
    struct reader in = reader_of(der);
    (void)der_take(&in, DER_INTEGER);
    if (der_peek(&in, DER_CONTEXT_0)) /* originatorInfo: belongs to key agreement */
        return err_set(err, ERR_FORBIDDEN, "an envelope with originator information");
    struct bytes recipients = der_take(&in, DER_SET);
    struct reader content = reader_of(der_take(&in, DER_SEQUENCE));
    struct bytes type = der_take(&content, DER_OID);
    struct bytes cipher = der_take(&content, DER_SEQUENCE);
    if (der_peek(&in, DER_CONTEXT_1)) /* unprotected attributes */
        (void)der_next(&in);
    if (!reader_done(&in) || !reader_ok(&content) || !bytes_equal(type, BYTES_OF(oid_data)))
        return malformed(err);
    if (!cipher_read(cipher, out, err) || !recipients_read(recipients, out, err))
        return false;
    return (ciphertext_read(owner, &content, out) && reader_done(&content)) || malformed(err);
}

bool scep_envelope_parse(void *owner, struct bytes der, bool with_legacy, struct scep_envelope *out,
                         struct err *err)
{
    struct bytes whole;
    struct scep_envelope found = {0};
    if (!der_normalise(owner, der, &whole, err))
        return false;
    struct reader outer = reader_of(whole);
    struct reader info = reader_of(der_take(&outer, DER_SEQUENCE));
    struct bytes type = der_take(&info, DER_OID);
    struct reader explicit_tag = reader_of(der_take(&info, DER_CONTEXT_0));
    struct bytes data = der_take(&explicit_tag, DER_SEQUENCE);
    if (!reader_done(&outer) || !reader_done(&info) || !reader_done(&explicit_tag))
        return malformed(err);
    if (!bytes_equal(type, BYTES_OF(oid_enveloped)))
        return err_set(err, ERR_FORBIDDEN, "content that is not EnvelopedData");
    if (!enveloped_read(owner, data, &found, err))
        return false;
    if (found.cipher == SCEP_DES3 && !with_legacy)
        return err_set(err, ERR_FORBIDDEN, "3DES, which is for old clients alone");
    *out = found;
    return true;
}

bool scep_envelope_open(void *owner, const struct scep_envelope *envelope, struct bytes key,
                        struct bytes *plain, struct err *err)
{
    const struct cipher_row *row = &cipher_rows[envelope->cipher];
    uint8_t *out = mem_array(owner, uint8_t, envelope->ciphertext.size + BLOCK_MAX);
    int done = 0, rest = 0;
    CLEANUP(EVP_CIPHER_CTX_free_at) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context || key.size != row->key_size ||
        EVP_DecryptInit_ex(context, row->cipher(), NULL, key.data, envelope->iv.data) != 1 ||
        EVP_DecryptUpdate(context, out, &done, envelope->ciphertext.data,
                          (int)envelope->ciphertext.size) != 1 ||
        EVP_DecryptFinal_ex(context, out + done, &rest) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "the envelope cannot be opened");
    *plain = (struct bytes){out, (size_t)(done + rest)};
    return true;
}

bool scep_identifier_matches(const struct scep_identifier *id, const struct certificate *of)
{
    CLEANUP(X509_NAME_free_at) X509_NAME *asked = DER_READ(d2i_X509_NAME, id->issuer);
    CLEANUP(X509_NAME_free_at) X509_NAME *issuer = DER_READ(d2i_X509_NAME, of->issuer_der);
    CLEANUP(X509_free_at) X509 *certificate = DER_READ(d2i_X509, of->der);
    bool same = asked && issuer && certificate && X509_NAME_cmp(asked, issuer) == 0;
    if (same) {
        const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
        CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
        struct bytes wanted = DER_MAKE(scratch, DER_INTEGER, id->serial);
        struct bytes found = DER_OF(scratch, i2d_ASN1_INTEGER, serial);
        same = bytes_equal(wanted, found);
    }
    ERR_clear_error();
    return same;
}
