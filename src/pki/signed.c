/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/signed.h"

#include <openssl/pem.h>

#include "pki/openssl.h"

#define ANCHORS_MAX 64
#define CERTIFICATES_MAX 10 /* inside a message */
#define CHAIN_DEPTH_MAX 5
#define RSA_BITS_MIN 1024 /* identities that devices were made with years ago */

/* Every certificate of a PEM text becomes an anchor. */
static bool store_fill(X509_STORE *store, struct bytes pem, size_t *count, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(pem.data, (int)pem.size);
    size_t found = 0;
    while (in && found < ANCHORS_MAX) {
        CLEANUP(X509_free_at) X509 *one = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!one)
            break;
        if (X509_STORE_add_cert(store, one) != 1)
            return openssl_fail(err, ERR_PRECONDITION, "the device authority");
        found++;
    }
    ERR_clear_error(); /* the end of the text is an error to OpenSSL */
    *count = found;
    return found > 0 ||
           err_set(err, ERR_PRECONDITION, "the device authority holds no certificate in PEM form");
}

bool anchors_check(struct bytes anchors_pem, size_t *count, struct err *err)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = X509_STORE_new();
    if (!store || anchors_pem.size > INT32_MAX)
        return err_set(err, ERR_PRECONDITION, "the device authority is too large");
    return store_fill(store, anchors_pem, count, err);
}

static bool shape_check(CMS_ContentInfo *cms, struct err *err)
{
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed ||
        OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data)
        return err_set(err, ERR_BAD_INPUT, "the body is not signed data");
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (!signers || sk_CMS_SignerInfo_num(signers) != 1)
        return err_set(err, ERR_BAD_INPUT, "the body has not exactly one signer");
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    return (content && *content) ||
           err_set(err, ERR_BAD_INPUT, "the signature has no content in it");
}

static bool key_check(X509 *signer, struct err *err)
{
    const EVP_PKEY *key = X509_get0_pubkey(signer);
    return (key && (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) >= RSA_BITS_MIN)) ||
           err_set(err, ERR_FORBIDDEN, "the signer's key is too weak");
}

static bool chain_check(X509 *signer, STACK_OF(X509) * inside, struct bytes anchors_pem,
                        struct err *err)
{
    size_t count = 0;
    CLEANUP(X509_STORE_free_at) X509_STORE *store = X509_STORE_new();
    CLEANUP(X509_STORE_CTX_free_at) X509_STORE_CTX *chain = X509_STORE_CTX_new();
    if (!store || !chain)
        bug("OpenSSL has no memory");
    if (!store_fill(store, anchors_pem, &count, err))
        return false;
    if (X509_STORE_CTX_init(chain, store, signer, inside) != 1)
        return openssl_fail(err, ERR_INTERNAL, "a chain");
    X509_STORE_CTX_set_flags(chain, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    X509_STORE_CTX_set_depth(chain, CHAIN_DEPTH_MAX);
    if (X509_verify_cert(chain) == 1)
        return true;
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    ERR_clear_error();
    return err_set(err, ERR_FORBIDDEN, "the signer is not certified by the device authority: %s",
                   why);
}

static void certificates_free(STACK_OF(X509) * stack)
{
    sk_X509_pop_free(stack, X509_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, certificates_free)

static bool signer_check(CMS_ContentInfo *cms, struct bytes anchors_pem, struct err *err)
{
    CLEANUP(certificates_free_at) STACK_OF(X509) *inside = CMS_get1_certs(cms);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *signers = CMS_get0_signers(cms);
    X509 *signer = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;
    if (!signer || sk_X509_num(inside) > CERTIFICATES_MAX)
        return err_set(err, ERR_BAD_INPUT, "the signer's certificate is not in the body");
    return key_check(signer, err) && chain_check(signer, inside, anchors_pem, err);
}

bool signed_verify(void *owner, struct bytes der, struct bytes anchors_pem, struct bytes *content,
                   struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct bytes whole;
    if (der.size > SIGNED_SIZE_MAX || anchors_pem.size > INT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "the body is too large");
    if (!der_normalise(scratch, der, &whole, err)) /* bounds what OpenSSL sees */
        return false;
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = DER_READ(d2i_CMS_ContentInfo, whole);
    if (!cms)
        return openssl_fail(err, ERR_BAD_INPUT, "the body is not one CMS message");
    if (!shape_check(cms, err))
        return false;
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    const unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
    if (!out || CMS_verify(cms, NULL, NULL, NULL, out, flags) != 1)
        return openssl_fail(err, ERR_FORBIDDEN, "the signature does not hold");
    if (!signer_check(cms, anchors_pem, err))
        return false;
    char *data = NULL;
    long size = BIO_get_mem_data(out, &data);
    *content =
        bytes_copy(owner, (struct bytes){(const uint8_t *)data, size > 0 ? (size_t)size : 0});
    return true;
}
