/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/ec_chain.h"

#include <string.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "pki/oid.h"
#include "pki/openssl.h"

#define SIGNATURE_SIZE_MAX 112 /* bytes: two numbers of P-384 in DER need 104 */
#define KEY_CERT_SIGN 0x04     /* of the first byte of KeyUsage (RFC 5280 4.2.1.3) */

/* SubjectPublicKeyInfo up to the coordinates of an uncompressed point (RFC 5480). */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t p384_head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};
static const struct key_row {
    const uint8_t *head;
    size_t head_size, point_size;
} key_rows[] = {
    {p256_head, sizeof(p256_head), 64},
    {p384_head, sizeof(p384_head), 96},
};

/* AlgorithmIdentifier: ecdsa-with-SHA256, -SHA384, -SHA512 (RFC 5758 3.2). */
#define ECDSA_WITH(number)                                                                         \
    {                                                                                              \
        0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, (number)                 \
    }
static const struct algorithm_row {
    uint8_t identifier[12];
    const EVP_MD *(*digest)(void);
} algorithm_rows[] = {
    {ECDSA_WITH(2), EVP_sha256}, {ECDSA_WITH(3), EVP_sha384}, {ECDSA_WITH(4), EVP_sha512}};

static const uint8_t oid_key_usage[] = {0x55, 0x1d, 0x0f};
static const uint8_t oid_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_policies[] = {0x55, 0x1d, 0x20};
static const uint8_t oid_purposes[] = {0x55, 0x1d, 0x25};
static const uint8_t oid_apple_arc[] = {OID_APPLE_ARC};

/* ---- anchors ---- */

static bool anchor_add(void *owner, struct bytes block, struct ec_anchors *out, struct err *err)
{
    struct bytes der;
    if (out->count == EC_ANCHORS_MAX)
        return err_set(err, ERR_PRECONDITION, "more than %d certificates", EC_ANCHORS_MAX);
    if (pem_decode(owner, block, "CERTIFICATE", OUTLINE_SIZE_MAX, &der, err) &&
        outline_parse(der, &out->certificates[out->count], err)) {
        out->count++;
        return true;
    }
    err->kind = ERR_PRECONDITION; /* the file is ours, not the device's */
    return false;
}

bool ec_anchors_open(void *owner, struct bytes pem, struct ec_anchors *out, struct err *err)
{
    static const char mark[] = "-----BEGIN CERTIFICATE-----";
    struct ec_anchors anchors = {.count = 0};
    if (pem.size > EC_ANCHORS_SIZE_MAX)
        return err_set(err, ERR_PRECONDITION, "more than %d bytes", EC_ANCHORS_SIZE_MAX);
    struct bytes rest = pem;
    for (;;) {
        const uint8_t *at = rest.size ? memmem(rest.data, rest.size, mark, sizeof(mark) - 1) : NULL;
        if (!at)
            break;
        struct bytes block = {at, rest.size - (size_t)(at - rest.data)};
        if (!anchor_add(owner, block, &anchors, err))
            return false;
        rest = (struct bytes){at + sizeof(mark) - 1, block.size - (sizeof(mark) - 1)};
    }
    if (anchors.count == 0)
        return err_set(err, ERR_PRECONDITION, "no certificate in PEM form");
    *out = anchors;
    return true;
}

/* ---- one signature ---- */

static EVP_PKEY *key_open(struct bytes key)
{
    for (size_t i = 0; i < COUNT(key_rows); i++) {
        const struct key_row *row = &key_rows[i];
        if (key.size == row->head_size + row->point_size &&
            memcmp(key.data, row->head, row->head_size) == 0)
            return DER_READ(d2i_PUBKEY, key);
    }
    return NULL;
}

static const EVP_MD *digest_of(struct bytes algorithm)
{
    for (size_t i = 0; i < COUNT(algorithm_rows); i++)
        if (bytes_equal(algorithm, BYTES_OF(algorithm_rows[i].identifier)))
            return algorithm_rows[i].digest();
    return NULL;
}

static bool is_signed_by(const struct outline *outline, const struct outline *issuer)
{
    const EVP_MD *digest = digest_of(outline->algorithm);
    if (!digest || outline->signature.size > SIGNATURE_SIZE_MAX ||
        !bytes_equal(outline->issuer, issuer->subject))
        return false;
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = key_open(issuer->key);
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds = key && context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1 &&
                 EVP_DigestVerify(context, outline->signature.data, outline->signature.size,
                                  outline->tbs.data, outline->tbs.size) == 1;
    ERR_clear_error();
    return holds;
}

/* ---- what one certificate may do ---- */

struct powers {
    bool is_authority, may_sign; /* may_sign: KeyUsage does not forbid it */
    int64_t path_most;           /* authorities below it; -1: any number */
};

static bool constraints_read(struct bytes value, struct powers *out)
{
    struct reader whole = reader_of(value);
    struct reader in = reader_of(der_take(&whole, DER_SEQUENCE));
    if (der_peek(&in, DER_BOOLEAN)) {
        struct bytes flag = der_take(&in, DER_BOOLEAN);
        out->is_authority = flag.size == 1 && flag.data[0] == 0xff;
    }
    if (der_peek(&in, DER_INTEGER)) {
        struct bytes number = der_take(&in, DER_INTEGER);
        if (number.size != 1 || number.data[0] > 0x7f)
            return false;
        out->path_most = number.data[0];
    }
    return reader_done(&whole) && reader_done(&in);
}

static bool usage_read(struct bytes value, struct powers *out)
{
    struct reader whole = reader_of(value);
    struct bytes bits = der_take(&whole, DER_BIT_STRING); /* the first byte counts unused bits */
    out->may_sign = bits.size >= 2 && (bits.data[1] & KEY_CERT_SIGN);
    return reader_done(&whole) && bits.size >= 1 && bits.size <= 3;
}

static bool powers_read(const struct outline *outline, struct powers *out)
{
    const struct outline_extension *constraints = outline_find(outline, BYTES_OF(oid_constraints));
    const struct outline_extension *usage = outline_find(outline, BYTES_OF(oid_key_usage));
    struct powers powers = {.path_most = -1};
    if ((constraints && !constraints_read(constraints->value, &powers)) ||
        (usage && !usage_read(usage->value, &powers)))
        return false;
    *out = powers;
    return true;
}

static bool starts_with(struct bytes whole, struct bytes start)
{
    return whole.size >= start.size && memcmp(whole.data, start.data, start.size) == 0;
}

/* What we look at, what says nothing about the chain, and what the maker put in for us. */
static bool is_understood(const struct outline_extension *extension)
{
    const struct bytes known[] = {BYTES_OF(oid_key_usage), BYTES_OF(oid_constraints),
                                  BYTES_OF(oid_policies), BYTES_OF(oid_purposes)};
    for (size_t i = 0; i < COUNT(known); i++)
        if (bytes_equal(extension->oid, known[i]))
            return true;
    return starts_with(extension->oid, BYTES_OF(oid_apple_arc));
}

static const char *place_text(size_t at)
{
    static const char *const places[EC_CHAIN_MAX] = {"the device's certificate", "the second",
                                                     "the third", "the fourth"};
    return at < EC_CHAIN_MAX ? places[at] : "the anchor";
}

static bool times_check(const struct outline *outline, size_t at, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    if (now > outline->not_after)
        return err_set(err, ERR_FORBIDDEN, "%s of the chain has expired (%s)", place_text(at),
                       time_text(owner, outline->not_after));
    return now >= outline->not_before ||
           err_set(err, ERR_FORBIDDEN, "%s of the chain is not valid before %s", place_text(at),
                   time_text(owner, outline->not_before));
}

/* at: its place, 0 for the leaf; so many authorities stand between it and the leaf, less one. */
static bool certificate_check(const struct outline *outline, size_t at, int64_t now,
                              struct err *err)
{
    struct powers powers;
    if (!times_check(outline, at, now, err))
        return false;
    for (size_t i = 0; i < outline->extension_count; i++)
        if (outline->extensions[i].is_critical && !is_understood(&outline->extensions[i]))
            return err_set(err, ERR_FORBIDDEN,
                           "%s of the chain has a critical extension that is "
                           "not understood",
                           place_text(at));
    if (!powers_read(outline, &powers))
        return err_set(err, ERR_FORBIDDEN, "%s of the chain says nothing clear of its powers",
                       place_text(at));
    if (at == 0)
        return (!powers.is_authority && !powers.may_sign) ||
               err_set(err, ERR_FORBIDDEN, "the device's certificate is one of an authority");
    if (!powers.is_authority || !powers.may_sign)
        return err_set(err, ERR_FORBIDDEN, "%s of the chain is no authority", place_text(at));
    return powers.path_most < 0 || (size_t)powers.path_most >= at - 1 ||
           err_set(err, ERR_FORBIDDEN, "%s of the chain allows no chain this long", place_text(at));
}

/* ---- the chain ---- */

static bool is_same(const struct outline *a, const struct outline *b)
{
    return bytes_equal(a->whole, b->whole);
}

static bool top_check(const struct outline *top, size_t count, const struct ec_anchors *anchors,
                      int64_t now, struct err *err)
{
    for (size_t i = 0; i < anchors->count; i++) {
        const struct outline *anchor = &anchors->certificates[i];
        if (count > 1 && is_same(top, anchor))
            return true;
        if (is_signed_by(top, anchor))
            return certificate_check(anchor, count, now, err);
    }
    return err_set(err, ERR_FORBIDDEN, "the chain does not lead to the root that is trusted");
}

bool ec_chain_check(const struct outline *chain, size_t count, const struct ec_anchors *anchors,
                    int64_t now, struct err *err)
{
    if (count == 0 || count > EC_CHAIN_MAX)
        return err_set(err, ERR_FORBIDDEN, "a chain of %zu certificates; 1 to %d are expected",
                       count, EC_CHAIN_MAX);
    for (size_t i = 0; i < count; i++)
        if (!certificate_check(&chain[i], i, now, err))
            return false;
    for (size_t i = 0; i + 1 < count; i++)
        if (!is_signed_by(&chain[i], &chain[i + 1]))
            return err_set(err, ERR_FORBIDDEN, "%s of the chain is not signed by the next one",
                           place_text(i));
    return top_check(&chain[count - 1], count, anchors, now, err);
}
