/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/message_signature.h"

#include <string.h>

#include "codec/base64.h"
#include "pki/openssl.h"

#define CERTIFICATES_MAX 10 /* inside a signature */

static bool digest_check(CMS_SignerInfo *signer, struct err *err)
{
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *object = NULL;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&object, NULL, NULL, digest);
    int nid = OBJ_obj2nid(object);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512 ||
           err_set(err, ERR_BAD_INPUT, "the message is signed with a weak digest");
}

static bool shape_check(CMS_ContentInfo *cms, struct err *err)
{
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
        return err_set(err, ERR_BAD_INPUT, "the signature is not signed data");
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    if (!content || *content) /* what is inside could differ from what we read */
        return err_set(err, ERR_BAD_INPUT, "the signature brings a content of its own");
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (!signers || sk_CMS_SignerInfo_num(signers) != 1)
        return err_set(err, ERR_BAD_INPUT, "the message has not exactly one signer");
    return digest_check(sk_CMS_SignerInfo_value(signers, 0), err);
}

/* CMS_verify() has found it by issuer and serial number, or by key identifier. */
static bool signer_take(void *owner, CMS_ContentInfo *cms, struct bytes *out, struct err *err)
{
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *signers = CMS_get0_signers(cms);
    if (sk_X509_num(signers) != 1)
        return err_set(err, ERR_BAD_INPUT, "the signer's certificate is not in the signature");
    *out = DER_OF(owner, i2d_X509, sk_X509_value(signers, 0));
    return true;
}

static bool certificates_check(CMS_ContentInfo *cms, struct err *err)
{
    STACK_OF(X509) *inside = CMS_get1_certs(cms);
    int count = sk_X509_num(inside);
    sk_X509_pop_free(inside, X509_free);
    return (count >= 1 && count <= CERTIFICATES_MAX) ||
           err_set(err, ERR_BAD_INPUT, "the signature holds no or too many certificates");
}

bool message_signature_check(void *owner, const char *signature, struct bytes body,
                             struct bytes *certificate, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY;
    struct bytes read, whole;
    if (body.size > INT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "a message of %zu bytes", body.size);
    if (!base64_decode(scratch, bytes_text(signature), MESSAGE_SIGNATURE_SIZE_MAX, &read, err) ||
        !der_normalise(scratch, read, &whole, err)) /* bounds what OpenSSL sees */
        return err_context(err, "the message's signature");
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = DER_READ(d2i_CMS_ContentInfo, whole);
    if (!cms)
        return openssl_fail(err, ERR_BAD_INPUT, "the signature is not one CMS message");
    if (!shape_check(cms, err) || !certificates_check(cms, err))
        return false;
    const void *start = body.data ? (const void *)body.data : ""; /* of a GET nothing is signed */
    CLEANUP(BIO_free_all_at) BIO *said = mem_must(BIO_new_mem_buf(start, (int)body.size));
    if (CMS_verify(cms, NULL, NULL, said, NULL, flags) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "the signature does not cover the message");
    return signer_take(owner, cms, certificate, err);
}
