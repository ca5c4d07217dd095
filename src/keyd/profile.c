/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration profiles signed, and signatures over the head of the audit chain. */
#include "keyd/answer.h"

#define PROFILE_MAX ((size_t)2 << 20) /* bytes */
#define AUDIT_SIGNATURE_MAX 128

static bool cms_make(const struct vault *vault, struct bytes content, CMS_ContentInfo **out,
                     struct err *err)
{
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    const struct identity *signer = &vault->identities[IDENTITY_PROFILE];
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(content.data, (int)content.size);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    if (!in || !cms ||
        !CMS_add1_signer(cms, signer->certificate, signer->key, EVP_sha256(), flags) ||
        CMS_add1_cert(cms, vault->identities[IDENTITY_ISSUING].certificate) != 1 ||
        CMS_add1_cert(cms, vault->identities[IDENTITY_ROOT].certificate) != 1 ||
        CMS_final(cms, in, NULL, flags & ~(unsigned)CMS_PARTIAL) != 1)
        return openssl_fail(err, ERR_INTERNAL, "signing a profile");
    *out = cms;
    cms = NULL;
    return true;
}

bool answer_sign_profile(struct call *call, struct err *err)
{
    struct bytes content = wire_get_bytes(&call->in, PROFILE_MAX);
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = NULL;
    if (!call_read(call, err))
        return false;
    if (content.size == 0)
        return err_set(err, ERR_BAD_INPUT, "an empty profile is not signed");
    if (!cms_make(call->vault, content, &cms, err))
        return false;
    wire_bytes(call->out, DER_OF(call->owner, i2d_CMS_ContentInfo, cms));
    return true;
}

/* ---- audit ---- */

/* What is signed: a prefix of its own, so that no other use of the key can be confused with it. */
static bool audit_read(struct call *call, struct buffer *message, struct err *err)
{
    int64_t position = wire_get_i64(&call->in);
    struct bytes hash = wire_get_bytes(&call->in, 32);
    int64_t at = wire_get_i64(&call->in);
    if (!reader_ok(&call->in) || hash.size != 32 || position < 0)
        return err_set(err, ERR_BAD_INPUT, "malformed request");
    buffer_init(message, call->owner, 256);
    buffer_text(message, "muster audit head 1\n");
    wire_i64(message, position);
    buffer_add(message, hash);
    wire_i64(message, at);
    return true;
}

bool answer_sign_audit(struct call *call, struct err *err)
{
    struct buffer message;
    uint8_t signature[AUDIT_SIGNATURE_MAX];
    size_t size = sizeof(signature);
    if (!audit_read(call, &message, err) || !call_read(call, err))
        return false;
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = call->vault->identities[IDENTITY_AUDIT].key;
    if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &size, message.data, message.size) != 1)
        return openssl_fail(err, ERR_INTERNAL, "signing the audit head");
    wire_bytes(call->out, (struct bytes){signature, size});
    return true;
}

bool answer_verify_audit(struct call *call, struct err *err)
{
    struct buffer message;
    if (!audit_read(call, &message, err))
        return false;
    struct bytes signature = wire_get_bytes(&call->in, AUDIT_SIGNATURE_MAX);
    if (!call_read(call, err))
        return false;
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = call->vault->identities[IDENTITY_AUDIT].key;
    if (!context || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1)
        return openssl_fail(err, ERR_INTERNAL, "verifying the audit head");
    if (EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "the audit head was not signed here");
    return true;
}
