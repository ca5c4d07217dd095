/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key.h"

#include "pki/openssl.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_EXPONENT_MIN 65537
#define RSA_EXPONENT_BITS_MAX 64

const char *key_kind_name(enum key_kind kind)
{
    switch (kind) {
    case KEY_RSA: return "RSA";
    case KEY_P256: return "P-256";
    case KEY_P384: return "P-384";
    }
    bug("no such kind of key: %d", (int)kind);
}

static bool rsa_check(const EVP_PKEY *key, struct key_facts *out, struct err *err)
{
    int bits = EVP_PKEY_get_bits(key);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return err_set(err, ERR_FORBIDDEN, "RSA key of %d bits; %d to %d are accepted", bits,
                       RSA_BITS_MIN, RSA_BITS_MAX);
    CLEANUP(BN_free_at) BIGNUM *exponent = NULL;
    if (EVP_PKEY_get_bn_param(key, "e", &exponent) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "RSA key without exponent");
    if (!BN_is_odd(exponent) || BN_num_bits(exponent) > RSA_EXPONENT_BITS_MAX ||
        BN_get_word(exponent) < RSA_EXPONENT_MIN)
        return err_set(err, ERR_FORBIDDEN, "RSA exponent out of range");
    *out = (struct key_facts){KEY_RSA, bits};
    return true;
}

static bool ec_check(const EVP_PKEY *key, struct key_facts *out, struct err *err)
{
    char group[64] = "";
    if (EVP_PKEY_get_utf8_string_param(key, "group", group, sizeof(group), NULL) != 1)
        return openssl_fail(err, ERR_FORBIDDEN, "EC key without a named curve");
    if (strcmp(group, "prime256v1") == 0)
        *out = (struct key_facts){KEY_P256, 256};
    else if (strcmp(group, "secp384r1") == 0)
        *out = (struct key_facts){KEY_P384, 384};
    else
        return err_set(err, ERR_FORBIDDEN, "EC key that is neither P-256 nor P-384");
    return true;
}

bool key_check(struct bytes spki, struct key_facts *out, struct err *err)
{
    if (spki.size > KEY_SPKI_MAX)
        return err_set(err, ERR_FORBIDDEN, "public key of more than %d bytes", KEY_SPKI_MAX);
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = DER_READ(d2i_PUBKEY, spki);
    if (!key)
        return openssl_fail(err, ERR_BAD_INPUT, "not a public key");
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return rsa_check(key, out, err);
    case EVP_PKEY_EC: return ec_check(key, out, err);
    default: return err_set(err, ERR_FORBIDDEN, "public key that is neither RSA nor EC");
    }
}
