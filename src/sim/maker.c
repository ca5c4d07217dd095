/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/maker.h"

#include "sim/authority.h"
#include "sim/keys.h"

#define KEY_BITS 2048

static int maker_free(struct maker *maker)
{
    EVP_PKEY_free(maker->key);
    X509_free(maker->certificate);
    return 0;
}

bool maker_open(void *owner, const char *directory, const char *common_name, const char *keys,
                struct maker **out, struct err *err)
{
    struct maker *maker = mem_new(owner, struct maker);
    mem_destructor(maker, maker_free);
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *ca_key = NULL;
    if (!certificates_load(owner, mem_format(owner, "%s/device-ca.pem", directory), &maker->chain,
                           err) ||
        !key_load(mem_format(owner, "%s/device-ca.key", directory), &ca_key, err) ||
        !key_pool_take(keys, KEY_BITS, &maker->key, err))
        return false;
    const struct certificate_plan plan = {.common_name = common_name,
                                          .constraints = "critical,CA:FALSE",
                                          .usage = "critical,digitalSignature",
                                          .subject_key = maker->key,
                                          .issuer = certificates_get(maker->chain, 0),
                                          .issuer_key = ca_key};
    *out = maker;
    return certificate_make(&plan, &maker->certificate, err);
}

bool maker_sign(void *owner, const struct maker *maker, struct bytes content, struct bytes *out,
                struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *in = mem_must(BIO_new_mem_buf(content.data, (int)content.size));
    CLEANUP(BIO_free_all_at) BIO *der = mem_must(BIO_new(BIO_s_mem()));
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms =
        CMS_sign(maker->certificate, maker->key, certificates_stack(maker->chain), in, CMS_BINARY);
    if (!cms || i2d_CMS_bio(der, cms) != 1)
        return openssl_failed(err, ERR_INTERNAL, "signing what the device is");
    *out = bio_bytes(owner, der);
    return true;
}
