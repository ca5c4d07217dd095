/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/signed.h"

#include <openssl/err.h>

#include "codec/base64.h"

static bool digest_check(CMS_SignerInfo *signer, struct err *err)
{
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *object = NULL;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&object, NULL, NULL, digest);
    int nid = OBJ_obj2nid(object);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512 ||
           err_set(err, ERR_BAD_INPUT, "the profile is signed with a weak digest");
}

static bool shape_check(CMS_ContentInfo *cms, struct err *err)
{
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
        return err_set(err, ERR_BAD_INPUT, "the profile is not CMS signed data");
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (!signers || sk_CMS_SignerInfo_num(signers) != 1)
        return err_set(err, ERR_BAD_INPUT, "a profile has exactly one signer");
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    if (!content || !*content)
        return err_set(err, ERR_BAD_INPUT, "the signature has no profile in it");
    return digest_check(sk_CMS_SignerInfo_value(signers, 0), err);
}

static bool signer_check(CMS_ContentInfo *cms, const struct certificates *roots, X509 **out,
                         struct err *err)
{
    CLEANUP(mem_free_at) struct certificates *embedded = certificates_new(NULL);
    STACK_OF(X509) *all = CMS_get1_certs(cms);
    for (int i = 0; i < sk_X509_num(all); i++)
        certificates_add(embedded, sk_X509_value(all, i));
    sk_X509_pop_free(all, X509_free);
    STACK_OF(X509) *signers = CMS_get0_signers(cms);
    X509 *signer = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;
    sk_X509_free(signers);
    if (!signer)
        return err_set(err, ERR_BAD_INPUT, "the signer's certificate is not in the profile");
    *out = signer;
    return !roots || certificate_chain_check(signer, embedded, roots, err) ||
           err_context(err, "the profile's signer");
}

bool signed_open(void *owner, struct bytes der, const struct certificates *roots,
                 struct signed_content *out, struct err *err)
{
    const uint8_t *at = der.data;
    if (der.size > PROFILE_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "a profile of %zu bytes", der.size);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.size);
    if (!cms || at != der.data + der.size)
        return openssl_failed(err, ERR_BAD_INPUT, "the profile is not one CMS message");
    if (!shape_check(cms, err))
        return false;
    CLEANUP(BIO_free_all_at) BIO *content = mem_must(BIO_new(BIO_s_mem()));
    X509 *signer = NULL;
    if (CMS_verify(cms, NULL, NULL, NULL, content, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1)
        return openssl_failed(err, ERR_FORBIDDEN, "the profile's signature");
    if (!signer_check(cms, roots, &signer, err))
        return false;
    *out = (struct signed_content){bio_bytes(owner, content), certificate_sha256(owner, signer)};
    return true;
}

bool signature_make(void *owner, struct bytes body, EVP_PKEY *key, X509 *certificate, char **out,
                    struct err *err)
{
    const void *start = body.data ? (const void *)body.data : "";
    CLEANUP(BIO_free_all_at) BIO *in = mem_must(BIO_new_mem_buf(start, (int)body.size));
    CLEANUP(BIO_free_all_at) BIO *der = mem_must(BIO_new(BIO_s_mem()));
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_sign(certificate, key, NULL, in, CMS_DETACHED | CMS_BINARY);
    if (!cms || i2d_CMS_bio(der, cms) != 1)
        return openssl_failed(err, ERR_INTERNAL, "signing a message");
    *out = base64_encode(owner, bio_bytes(owner, der));
    return true;
}
