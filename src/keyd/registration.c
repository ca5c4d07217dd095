/* SPDX-License-Identifier: Apache-2.0 */
/* The RA's two operations for SCEP: opening a content key, and signing a CertRep. */
#include "keyd/answer.h"
#include "pki/keyd.h"
#include "pki/oid.h"

#include <openssl/rsa.h>

#define RSA_BYTES_MAX 512
#define PADDING_MIN 11 /* bytes: 00 02, eight of padding, 00 (RFC 8017 7.2) */
#define ATTRIBUTES_MAX 2048
#define CONTENT_KEY_MAX 32

/* ---- unwrap ---- */

/* 0xff when a == b, else 0; no branch on the values. */
static uint8_t mask_equal(uint8_t a, uint8_t b)
{
    uint32_t difference = (uint32_t)(a ^ b);
    return (uint8_t)((difference - 1) >> 8);
}

/* All-ones when block is 00 02 <nonzero> 00 <size bytes>; the same steps whatever it holds. */
static uint8_t padding_mask(const uint8_t *block, size_t block_size, size_t size)
{
    size_t zero = block_size - size - 1;
    uint8_t good = mask_equal(block[0], 0) & mask_equal(block[1], 2) & mask_equal(block[zero], 0);
    for (size_t i = 2; i < zero; i++)
        good &= (uint8_t)~mask_equal(block[i], 0);
    return good;
}

/* The raw RSA result, or zeros (which no padding check passes) when the number is too big: that
 * depends on the public value alone. */
static bool raw_decrypt(EVP_PKEY *key, struct bytes encrypted, uint8_t *block, struct err *err)
{
    size_t size = RSA_BYTES_MAX;
    CLEANUP(EVP_PKEY_CTX_free_at) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    if (!context || EVP_PKEY_decrypt_init(context) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) != 1)
        return openssl_fail(err, ERR_INTERNAL, "RSA");
    if (EVP_PKEY_decrypt(context, block, &size, encrypted.data, encrypted.size) != 1)
        bytes_wipe(block, RSA_BYTES_MAX);
    ERR_clear_error();
    return true;
}

bool call_unwrap(struct call *call, EVP_PKEY *key, uint32_t size, struct bytes encrypted,
                 struct err *err)
{
    if (size != 16 && size != 24 && size != CONTENT_KEY_MAX)
        return err_set(err, ERR_BAD_INPUT, "a content key has 16, 24 or 32 bytes");
    if (encrypted.size != (size_t)EVP_PKEY_get_size(key) || encrypted.size < PADDING_MIN + size ||
        encrypted.size > RSA_BYTES_MAX)
        return err_set(err, ERR_BAD_INPUT, "not encrypted to this key");
    uint8_t label_key[32], instead[32], *block = secret_new(call->owner, RSA_BYTES_MAX);
    /* The same wrong ciphertext gives the same key again: asking twice tells nothing. */
    master_derive(call->vault->master, "unwrap/reject", label_key);
    hmac_sha256(label_key, encrypted, instead);
    bytes_wipe(label_key, sizeof(label_key));
    if (!raw_decrypt(key, encrypted, block, err))
        return false;
    uint8_t good = padding_mask(block, encrypted.size, size);
    const uint8_t *found = block + encrypted.size - size;
    for (uint32_t i = 0; i < size; i++)
        instead[i] = (uint8_t)((found[i] & good) | (instead[i] & ~good));
    wire_bytes(call->out, (struct bytes){instead, size});
    bytes_wipe(instead, sizeof(instead));
    return true;
}

bool answer_unwrap(struct call *call, struct err *err)
{
    int64_t number = wire_get_i64(&call->in);
    uint32_t size = reader_u32(&call->in);
    struct bytes encrypted = wire_get_bytes(&call->in, RSA_BYTES_MAX);
    struct generation *generation = NULL;
    return call_read(call, err) && vault_signing(call->vault, number, &generation, err) &&
           call_unwrap(call, generation->identities[IDENTITY_REGISTRATION].key, size, encrypted,
                       err);
}

/* ---- sign-reply ---- */

static const uint8_t oid_data[] = {OID_DATA};

static const struct attribute_rule {
    uint8_t oid[10];
    uint8_t oid_size, tag;
    uint8_t smallest, largest; /* bytes of the value */
    bool is_required;
    const char *only; /* the one value allowed */
} attribute_rules[] = {
    {{OID_CONTENT_TYPE}, 9, DER_OID, 9, 9, true, (const char *)oid_data}, /* contentType */
    {{OID_MESSAGE_DIGEST}, 9, DER_OCTET_STRING, 20, 64, true, NULL},      /* messageDigest */
    {{OID_SCEP_MESSAGE_TYPE}, 10, DER_PRINTABLE_STRING, 1, 1, true, "3"}, /* messageType: CertRep */
    {{OID_SCEP_PKI_STATUS}, 10, DER_PRINTABLE_STRING, 1, 1, true, NULL},  /* pkiStatus */
    {{OID_SCEP_FAIL_INFO}, 10, DER_PRINTABLE_STRING, 1, 1, false, NULL},  /* failInfo */
    {{OID_SCEP_SENDER_NONCE}, 10, DER_OCTET_STRING, 8, 64, true, NULL},   /* senderNonce */
    {{OID_SCEP_RECIPIENT_NONCE}, 10, DER_OCTET_STRING, 8, 64, true, NULL},  /* recipientNonce */
    {{OID_SCEP_TRANSACTION}, 10, DER_PRINTABLE_STRING, 1, 128, true, NULL}, /* transactionID */
    {{OID_SCEP_FAIL_TEXT}, 8, DER_UTF8_STRING, 1, 200, false, NULL},        /* failInfoText */
};

static const struct attribute_rule *rule_find(struct bytes oid)
{
    for (size_t i = 0; i < COUNT(attribute_rules); i++)
        if (bytes_equal(oid, (struct bytes){attribute_rules[i].oid, attribute_rules[i].oid_size}))
            return &attribute_rules[i];
    return NULL;
}

/* Attribute ::= SEQUENCE { OID, SET { one value } }; its bit is set in *seen. */
static bool attribute_check(struct reader *list, unsigned *seen)
{
    struct reader attribute = reader_of(der_take(list, DER_SEQUENCE));
    const struct attribute_rule *rule = rule_find(der_take(&attribute, DER_OID));
    struct reader values = reader_of(der_take(&attribute, DER_SET));
    if (!rule || !reader_ok(list) || !reader_done(&attribute))
        return false;
    struct bytes value = der_take(&values, rule->tag);
    unsigned bit = 1u << (rule - attribute_rules);
    if (!reader_done(&values) || (*seen & bit) || value.size < rule->smallest ||
        value.size > rule->largest)
        return false;
    if (rule->only && memcmp(value.data, rule->only, value.size) != 0)
        return false;
    *seen |= bit;
    return true;
}

/* Nothing but the signed attributes of a CertRep gets the RA's signature. */
static bool attributes_check(struct bytes set, struct err *err)
{
    struct reader outer = reader_of(set);
    struct reader list = reader_of(der_take(&outer, DER_SET));
    unsigned seen = 0;
    bool good = reader_done(&outer);
    while (good && reader_left(&list) > 0)
        good = attribute_check(&list, &seen);
    for (size_t i = 0; i < COUNT(attribute_rules); i++)
        good = good && (!attribute_rules[i].is_required || seen >> i & 1);
    return good || err_set(err, ERR_FORBIDDEN, "not the signed attributes of a SCEP reply");
}

static const EVP_MD *digest_of(uint8_t digest)
{
    switch ((enum keyd_digest)digest) {
    case KEYD_SHA256: return EVP_sha256();
    case KEYD_SHA384: return EVP_sha384();
    case KEYD_SHA512: return EVP_sha512();
    case KEYD_SHA1: return EVP_sha1();
    }
    return NULL;
}

bool answer_sign_reply(struct call *call, struct err *err)
{
    int64_t number = wire_get_i64(&call->in);
    uint8_t asked = reader_u8(&call->in);
    const EVP_MD *digest = digest_of(asked);
    struct generation *generation = NULL;
    struct bytes attributes = wire_get_bytes(&call->in, ATTRIBUTES_MAX);
    uint8_t signature[RSA_BYTES_MAX];
    size_t size = sizeof(signature);
    if (!call_read(call, err) || !attributes_check(attributes, err) ||
        !vault_signing(call->vault, number, &generation, err))
        return false;
    if (!digest)
        return err_set(err, ERR_BAD_INPUT, "no such digest");
    if (asked == KEYD_SHA1 && !call->vault->allows_legacy)
        return err_set(err, ERR_FORBIDDEN, "SHA-1 is not signed here");
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context ||
        EVP_DigestSignInit(context, NULL, digest, NULL,
                           generation->identities[IDENTITY_REGISTRATION].key) != 1 ||
        EVP_DigestSign(context, signature, &size, attributes.data, attributes.size) != 1)
        return openssl_fail(err, ERR_INTERNAL, "signing a SCEP reply");
    wire_bytes(call->out, (struct bytes){signature, size});
    return true;
}
