/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that others encrypt to: made here, used here, never given out. */
#include "base/id.h"
#include "keyd/answer.h"

#define NAME_LONGEST 128
#define ABOUT_SIZE 64   /* hexadecimal digits of SHA-256 */
#define SEALED_MAX 4096 /* bytes */
#define WRAPPED_MAX 512 /* bytes of an encrypted content key */
#define KEY_BITS 2048
#define CLOCK_SLACK 3600
#define LIFE_SECONDS (INT64_C(10) * 365 * 24 * 3600)

/* Not one of the classes that keyd_open() knows. */
static const char label[] = "seal/recipient";

static const struct build_extension extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,keyEncipherment"},
    {0, NULL},
};

bool answer_make_recipient(struct call *call, struct err *err)
{
    const char *common_name = wire_get_text(call->owner, &call->in, NAME_LONGEST);
    if (!call_read(call, err))
        return false;
    if (!common_name || !*common_name)
        return err_set(err, ERR_BAD_INPUT, "a certificate needs a common name");
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    CLEANUP(X509_free_at) X509 *certificate = NULL;
    struct build_plan plan = {.common_name = common_name,
                              .key = key,
                              .not_before = call->now - CLOCK_SLACK,
                              .not_after = call->now + LIFE_SECONDS,
                              .extensions = extensions};
    random_bytes(plan.serial, sizeof(plan.serial));
    plan.serial[0] = (uint8_t)((plan.serial[0] & 0x7f) | 0x40);
    if (!key)
        return openssl_fail(err, ERR_INTERNAL, "making a key");
    if (!build_certificate(&plan, NULL, key, &certificate, err))
        return false;
    struct bytes der = DER_OF(call->owner, i2d_X509, certificate), sealed;
    struct bytes secret = DER_OF(call->owner, i2d_PrivateKey, key);
    bool good = seal_make(call->owner, call->vault->master, label,
                          digest_sha256_hex(call->owner, der), secret, &sealed, err);
    secret_wipe_bytes(secret);
    if (!good)
        return false;
    wire_bytes(call->out, der);
    wire_bytes(call->out, sealed);
    return true;
}

static bool key_open(struct call *call, const char *about, struct bytes sealed, EVP_PKEY **out,
                     struct err *err)
{
    struct bytes secret;
    if (!seal_open(call->owner, call->vault->master, label, about, sealed, &secret, err))
        return false;
    EVP_PKEY *key = DER_READ(d2i_AutoPrivateKey, secret);
    secret_wipe_bytes(secret);
    if (!key)
        return openssl_fail(err, ERR_INTERNAL, "a sealed key");
    *out = key;
    return true;
}

bool answer_recipient_unwrap(struct call *call, struct err *err)
{
    const char *about = wire_get_text(call->owner, &call->in, ABOUT_SIZE);
    struct bytes sealed = wire_get_bytes(&call->in, SEALED_MAX);
    uint32_t size = reader_u32(&call->in);
    struct bytes encrypted = wire_get_bytes(&call->in, WRAPPED_MAX);
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
    if (!call_read(call, err))
        return false;
    if (!about || !*about)
        return err_set(err, ERR_BAD_INPUT, "a sealed key is always about something");
    return key_open(call, about, sealed, &key, err) && call_unwrap(call, key, size, encrypted, err);
}
