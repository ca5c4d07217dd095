/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/server_identity.h"

#include <limits.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "pki/openssl.h"

#define CHAIN_LENGTH_MAX 8
#define RSA_BITS_LEAST 2048

static void chain_free(STACK_OF(X509) * chain)
{
    sk_X509_pop_free(chain, X509_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, chain_free)

static int no_passphrase(char *buffer, int size, int for_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)for_writing;
    (void)context;
    return -1;
}

static bool chain_read(struct bytes pem, STACK_OF(X509) * chain, struct err *err)
{
    CLEANUP(BIO_free_all_at)
    BIO *memory = pem.size <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.size) : NULL;
    X509 *one;
    while (memory && (one = PEM_read_bio_X509(memory, NULL, no_passphrase, NULL))) {
        if (sk_X509_num(chain) == CHAIN_LENGTH_MAX || sk_X509_push(chain, one) <= 0) {
            X509_free(one);
            return err_set(err, ERR_TOO_LARGE, "more than %d certificates", CHAIN_LENGTH_MAX);
        }
    }
    ERR_clear_error();
    return sk_X509_num(chain) > 0 || err_set(err, ERR_BAD_INPUT, "there is no certificate in PEM");
}

static bool chain_check(STACK_OF(X509) * chain, struct err *err)
{
    for (int i = 1; i < sk_X509_num(chain); i++) {
        X509 *issuer = sk_X509_value(chain, i), *subject = sk_X509_value(chain, i - 1);
        if (X509_check_issued(issuer, subject) != X509_V_OK ||
            X509_verify(subject, X509_get0_pubkey(issuer)) != 1) {
            ERR_clear_error();
            return err_set(err, ERR_BAD_INPUT,
                           "certificate %d of the chain did not issue the one before it", i + 1);
        }
    }
    return true;
}

static bool key_check(X509 *leaf, EVP_PKEY *key, bool *is_rsa, struct err *err)
{
    char curve[64] = "";
    *is_rsa = EVP_PKEY_is_a(key, "RSA");
    if (*is_rsa && EVP_PKEY_get_bits(key) < RSA_BITS_LEAST)
        return err_set(err, ERR_BAD_INPUT, "an RSA key has at least %d bits", RSA_BITS_LEAST);
    if (!*is_rsa && (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1 ||
                     (strcmp(curve, "prime256v1") != 0 && strcmp(curve, "secp384r1") != 0))) {
        ERR_clear_error();
        return err_set(err, ERR_BAD_INPUT, "the key is neither RSA nor P-256 nor P-384");
    }
    if (X509_check_private_key(leaf, key) == 1)
        return true;
    ERR_clear_error();
    return err_set(err, ERR_BAD_INPUT, "the key does not belong to the certificate");
}

static bool use_check(X509 *leaf, const char *host, int64_t now, struct err *err)
{
    time_t at = (time_t)now;
    if (X509_cmp_time(X509_get0_notBefore(leaf), &at) >= 0)
        return err_set(err, ERR_PRECONDITION, "the certificate does not hold yet");
    if (X509_cmp_time(X509_get0_notAfter(leaf), &at) <= 0)
        return err_set(err, ERR_PRECONDITION, "the certificate has expired");
    if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1)
        return err_set(err, ERR_BAD_INPUT, "the certificate is not for servers");
    if (X509_check_host(leaf, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1 ||
        X509_check_ip_asc(leaf, host, 0) == 1)
        return true;
    ERR_clear_error();
    return err_set(err, ERR_BAD_INPUT, "the certificate is not for %.200s", host);
}

static int64_t end_of(X509 *leaf)
{
    int days = 0, seconds = 0;
    CLEANUP(ASN1_TIME_free_at) ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(leaf)) != 1)
        return 0;
    return (int64_t)days * 86400 + seconds;
}

bool server_identity_check(struct bytes chain_pem, struct bytes key_pem, const char *host,
                           int64_t now, struct server_identity *out, struct err *err)
{
    struct server_identity identity;
    CLEANUP(chain_free_at) STACK_OF(X509) *chain = sk_X509_new_null();
    if (!chain)
        return openssl_fail(err, ERR_INTERNAL, "a chain");
    if (!chain_read(chain_pem, chain, err))
        return false;
    CLEANUP(BIO_free_all_at)
    BIO *memory = key_pem.size <= INT_MAX ? BIO_new_mem_buf(key_pem.data, (int)key_pem.size) : NULL;
    CLEANUP(EVP_PKEY_free_at)
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL) : NULL;
    X509 *leaf = sk_X509_value(chain, 0);
    ERR_clear_error();
    if (!key)
        return err_set(err, ERR_BAD_INPUT, "there is no key in PEM without a passphrase");
    if (!key_check(leaf, key, &identity.is_rsa, err) || !use_check(leaf, host, now, err) ||
        !chain_check(chain, err))
        return false;
    identity.not_after = end_of(leaf);
    *out = identity;
    return true;
}
