/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed whole: configuration profiles, and the next authority for who knows this one. */
#include "keyd/answer.h"
#include "pki/cms.h"

#define PROFILE_MAX ((size_t)2 << 20) /* bytes */

/* Signer and issuing CA are embedded, and the root where with_root. */
static bool cms_make(const struct generation *generation, enum identity_name signing,
                     bool with_root, struct bytes content, CMS_ContentInfo **out, struct err *err)
{
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    const struct identity *signer = &generation->identities[signing];
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(content.data, (int)content.size);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    if (!in || !cms ||
        !CMS_add1_signer(cms, signer->certificate, signer->key, EVP_sha256(), flags) ||
        CMS_add1_cert(cms, generation->identities[IDENTITY_ISSUING].certificate) != 1 ||
        (with_root && CMS_add1_cert(cms, generation->identities[IDENTITY_ROOT].certificate) != 1) ||
        CMS_final(cms, in, NULL, flags & ~(unsigned)CMS_PARTIAL) != 1)
        return openssl_fail(err, ERR_INTERNAL, "signing");
    *out = cms;
    cms = NULL;
    return true;
}

/* A device takes an update from who signed the first profile alone: the signer of an authority that
 * is retired goes on. One that was never in use signs nothing. A device that comes trusts, if
 * anything, whom it has the profile from: the servers' authority. */
static bool signer_find(struct call *call, int64_t number, struct generation **out, struct err *err)
{
    struct vault *vault = call->vault;
    struct generation *found = vault_number(vault, number == 0 ? vault->tls_number : number);
    if (!found || found->role == AUTHORITY_NEXT || !found->identities[IDENTITY_PROFILE].key)
        return err_set(err, ERR_NOT_FOUND, "no authority of the number %lld signs profiles",
                       (long long)number);
    *out = found;
    return true;
}

bool answer_sign_profile(struct call *call, struct err *err)
{
    int64_t number = wire_get_i64(&call->in);
    struct bytes content = wire_get_bytes(&call->in, PROFILE_MAX);
    struct generation *generation = NULL;
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = NULL;
    if (!call_read(call, err))
        return false;
    if (content.size == 0)
        return err_set(err, ERR_BAD_INPUT, "an empty profile is not signed");
    if (!signer_find(call, number, &generation, err) ||
        !cms_make(generation, IDENTITY_PROFILE, true, content, &cms, err))
        return false;
    wire_bytes(call->out, DER_OF(call->owner, i2d_CMS_ContentInfo, cms));
    return true;
}

/* RFC 8894 4.7.1: in the order in which GetCACert gives the present ones. */
bool answer_sign_next(struct call *call, struct err *err)
{
    const struct generation *next = vault_role(call->vault, AUTHORITY_NEXT);
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = NULL;
    if (!call_read(call, err))
        return false;
    if (!next)
        return err_set(err, ERR_NOT_FOUND, "no next authority was made yet");
    const struct bytes chain[] = {next->identities[IDENTITY_REGISTRATION].der,
                                  next->identities[IDENTITY_ISSUING].der,
                                  next->identities[IDENTITY_ROOT].der};
    struct bytes bundle = cms_bundle(call->owner, chain, COUNT(chain), NO_BYTES);
    if (!cms_make(vault_current(call->vault), IDENTITY_REGISTRATION, false, bundle, &cms, err))
        return false;
    wire_bytes(call->out, DER_OF(call->owner, i2d_CMS_ContentInfo, cms));
    return true;
}
