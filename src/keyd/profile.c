/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration profiles, signed. */
#include "keyd/answer.h"

#define PROFILE_MAX ((size_t)2 << 20) /* bytes */

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
