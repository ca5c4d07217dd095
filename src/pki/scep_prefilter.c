/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/oid.h"
#include "pki/scep_layers.h"

#include "base/mem.h"
#include "pki/der.h"

static const uint8_t oid_data[] = {OID_DATA}, oid_signed[] = {OID_SIGNED_DATA};
static const uint8_t oid_sha256[] = {OID_SHA256}, oid_sha384[] = {OID_SHA384},
                     oid_sha512[] = {OID_SHA512}, oid_sha1[] = {OID_SHA1};
static const uint8_t oid_rsa[] = {OID_RSA}, oid_rsa_sha256[] = {OID_RSA_SHA256},
                     oid_rsa_sha384[] = {OID_RSA_SHA384}, oid_rsa_sha512[] = {OID_RSA_SHA512},
                     oid_rsa_sha1[] = {OID_RSA_SHA1};

static const struct digest_row {
    struct bytes oid, signature_oid;
} digest_rows[] = {
    [KEYD_SHA256] = {BYTES_OF(oid_sha256), BYTES_OF(oid_rsa_sha256)},
    [KEYD_SHA384] = {BYTES_OF(oid_sha384), BYTES_OF(oid_rsa_sha384)},
    [KEYD_SHA512] = {BYTES_OF(oid_sha512), BYTES_OF(oid_rsa_sha512)},
    [KEYD_SHA1] = {BYTES_OF(oid_sha1), BYTES_OF(oid_rsa_sha1)},
};

static bool refuse(struct err *err, const char *what)
{
    return err_set(err, ERR_BAD_INPUT, "not a SCEP message: %s", what);
}

/* ---- attributes ---- */

enum attribute { TYPE, TRANSACTION, NONCE, CONTENT_TYPE, DIGEST, ATTRIBUTE_COUNT };

static const uint8_t oid_type[] = {OID_SCEP_MESSAGE_TYPE},
                     oid_transaction[] = {OID_SCEP_TRANSACTION},
                     oid_nonce[] = {OID_SCEP_SENDER_NONCE}, oid_content_type[] = {OID_CONTENT_TYPE},
                     oid_digest[] = {OID_MESSAGE_DIGEST};

static const struct attribute_row {
    struct bytes oid;
    uint8_t tag;
    size_t smallest, largest;
} attribute_rows[ATTRIBUTE_COUNT] = {
    [TYPE] = {BYTES_OF(oid_type), DER_PRINTABLE_STRING, 1, 2},
    [TRANSACTION] = {BYTES_OF(oid_transaction), DER_PRINTABLE_STRING, 1, SCEP_TRANSACTION_MAX},
    [NONCE] = {BYTES_OF(oid_nonce), DER_OCTET_STRING, SCEP_NONCE_MIN, SCEP_NONCE_MAX},
    [CONTENT_TYPE] = {BYTES_OF(oid_content_type), DER_OID, sizeof(oid_data), sizeof(oid_data)},
    [DIGEST] = {BYTES_OF(oid_digest), DER_OCTET_STRING, 16, 64},
};

/* One attribute: those we know have exactly one value of their type, and come once. */
static bool attribute_read(struct reader *list, struct bytes values[ATTRIBUTE_COUNT])
{
    struct reader attribute = reader_of(der_take(list, DER_SEQUENCE));
    struct bytes oid = der_take(&attribute, DER_OID);
    struct reader set = reader_of(der_take(&attribute, DER_SET));
    if (!reader_ok(list) || !reader_done(&attribute))
        return false;
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_row *row = &attribute_rows[i];
        if (!bytes_equal(oid, row->oid))
            continue;
        struct bytes value = der_take(&set, row->tag);
        bool good = reader_done(&set) && !values[i].data && value.size >= row->smallest &&
                    value.size <= row->largest;
        values[i] = value;
        return good;
    }
    return true; /* others are none of our business: signingTime, the platform's own */
}

static bool type_parse(struct bytes digits, int *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *out = *out * 10 + (digits.data[i] - '0');
    }
    return true;
}

static bool is_visible(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return true;
}

static bool attributes_read(struct bytes set, struct scep_signed *out, struct err *err)
{
    struct bytes values[ATTRIBUTE_COUNT] = {0};
    struct reader list = reader_of(set);
    while (reader_left(&list) > 0)
        if (!attribute_read(&list, values))
            return refuse(err, "a malformed or doubled signed attribute");
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        if (!values[i].data)
            return refuse(err, "a signed attribute is missing");
    if (!bytes_equal(values[CONTENT_TYPE], BYTES_OF(oid_data)) ||
        !type_parse(values[TYPE], &out->type) || !is_visible(values[TRANSACTION]))
        return refuse(err, "a signed attribute holds no possible value");
    out->transaction = values[TRANSACTION];
    out->sender_nonce = values[NONCE];
    out->message_digest = values[DIGEST];
    return true;
}

/* ---- SignerInfo ---- */

static struct bytes algorithm_oid(struct reader *in)
{
    struct reader algorithm = reader_of(der_take(in, DER_SEQUENCE));
    return der_take(&algorithm, DER_OID);
}

static void digest_find(struct scep_signed *out, struct bytes digest, struct bytes signature)
{
    for (size_t i = KEYD_SHA256; i < COUNT(digest_rows); i++)
        if (bytes_equal(digest, digest_rows[i].oid)) {
            out->digest = (enum keyd_digest)i;
            out->is_digest_known = bytes_equal(signature, BYTES_OF(oid_rsa)) ||
                                   bytes_equal(signature, digest_rows[i].signature_oid);
        }
}

static bool signer_read(void *owner, struct bytes signer_infos, struct scep_signed *out,
                        struct err *err)
{
    struct reader set = reader_of(signer_infos);
    struct reader info = reader_of(der_take(&set, DER_SEQUENCE));
    if (!reader_done(&set))
        return refuse(err, "not exactly one signer");
    (void)der_take(&info, DER_INTEGER);
    struct reader id = reader_of(der_take(&info, DER_SEQUENCE));
    out->signer.issuer = der_next(&id).whole;
    out->signer.serial = der_take(&id, DER_INTEGER);
    struct bytes digest = algorithm_oid(&info);
    struct bytes attributes = der_take(&info, DER_CONTEXT_0);
    struct bytes signature = algorithm_oid(&info);
    out->signature = der_take(&info, DER_OCTET_STRING);
    if (der_peek(&info, DER_CONTEXT_1)) /* unsigned attributes: nobody vouches for them */
        (void)der_next(&info);
    if (!reader_done(&info) || !reader_done(&id) || out->signer.serial.size == 0)
        return refuse(err, "malformed signer, or one without signed attributes");
    digest_find(out, digest, signature);
    /* RFC 5652 5.4: signed is the SET, not the [0] it travels as */
    out->attributes = DER_MAKE(owner, DER_SET, attributes);
    return attributes_read(attributes, out, err);
}

/* ---- SignedData ---- */

/* EncapsulatedContentInfo { data, [0] { OCTET STRING } OPTIONAL } */
static bool content_read(struct bytes der, struct scep_signed *out)
{
    struct reader content = reader_of(der);
    bool is_data = bytes_equal(der_take(&content, DER_OID), BYTES_OF(oid_data));
    if (der_peek(&content, DER_CONTEXT_0)) {
        struct reader explicit_tag = reader_of(der_take(&content, DER_CONTEXT_0));
        out->content = der_take(&explicit_tag, DER_OCTET_STRING);
        if (!reader_done(&explicit_tag))
            return false;
    }
    return is_data && reader_done(&content);
}

static bool certificates_read(struct bytes set, struct scep_signed *out)
{
    struct reader list = reader_of(set);
    while (reader_left(&list) > 0) {
        struct der_element certificate = der_next(&list);
        if (!reader_ok(&list) || certificate.tag != DER_SEQUENCE ||
            out->certificate_count == SCEP_CERTIFICATES_MAX)
            return false;
        out->certificates[out->certificate_count++] = certificate.whole;
    }
    return out->certificate_count > 0;
}

static bool signed_data_read(void *owner, struct bytes der, struct scep_signed *out,
                             struct err *err)
{
    struct reader in = reader_of(der);
    (void)der_take(&in, DER_INTEGER);
    (void)der_take(&in, DER_SET);
    struct bytes content = der_take(&in, DER_SEQUENCE);
    struct bytes certificates = der_take(&in, DER_CONTEXT_0);
    if (der_peek(&in, DER_CONTEXT_1)) /* CRLs: some clients add an empty set */
        (void)der_next(&in);
    struct bytes signers = der_take(&in, DER_SET);
    if (!reader_done(&in))
        return refuse(err, "malformed SignedData, or one without certificates");
    if (!content_read(content, out))
        return refuse(err, "the content is not of type data");
    if (!certificates_read(certificates, out))
        return refuse(err, "no, too many or strange certificates");
    return signer_read(owner, signers, out, err);
}

bool scep_prefilter(void *owner, struct bytes body, struct scep_signed *out, struct err *err)
{
    struct bytes der;
    struct scep_signed found = {0};
    if (body.size > SCEP_MESSAGE_MAX)
        return err_set(err, ERR_TOO_LARGE, "SCEP message exceeds %d bytes", SCEP_MESSAGE_MAX);
    if (!der_normalise(owner, body, &der, err))
        return false;
    struct reader outer = reader_of(der);
    struct reader info = reader_of(der_take(&outer, DER_SEQUENCE));
    if (!bytes_equal(der_take(&info, DER_OID), BYTES_OF(oid_signed)))
        return refuse(err, "not SignedData");
    struct reader explicit_tag = reader_of(der_take(&info, DER_CONTEXT_0));
    struct bytes data = der_take(&explicit_tag, DER_SEQUENCE);
    if (!reader_done(&outer) || !reader_done(&info) || !reader_done(&explicit_tag))
        return refuse(err, "malformed ContentInfo");
    if (!signed_data_read(owner, data, &found, err))
        return false;
    *out = found;
    return true;
}
