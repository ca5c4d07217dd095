/* SPDX-License-Identifier: Apache-2.0 */
/* What Apple hands out around its service: server tokens, and the authority of its devices. */
#include <openssl/cms.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/text.h"
#include "sim/authority.h"
#include "sim/program.h"
#include "sim/service.h"

#define DAY_SECONDS INT64_C(86400)
#define TOKEN_DAYS 365
#define KEY_BITS 2048
#define SECRET_BITS 160

/* A root, and the authority below it that certifies devices: device-root.pem is what a server is
 * to trust. */
static bool device_authority_make(const char *directory, struct err *err)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *root_key = NULL;
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
    CLEANUP(X509_free_at) X509 *root = NULL;
    CLEANUP(X509_free_at) X509 *authority = NULL;
    if (!key_make_rsa(KEY_BITS, &root_key, err) || !key_make_rsa(KEY_BITS, &key, err))
        return false;
    const struct certificate_plan root_plan = {.common_name = "Simulated device root",
                                               .constraints = "critical,CA:TRUE",
                                               .usage = "critical,keyCertSign,cRLSign",
                                               .subject_key = root_key,
                                               .issuer_key = root_key};
    if (!certificate_make(&root_plan, &root, err))
        return false;
    const struct certificate_plan plan = {.common_name = "Simulated iPhone Device CA",
                                          .constraints = "critical,CA:TRUE",
                                          .usage = "critical,keyCertSign,cRLSign",
                                          .subject_key = key,
                                          .issuer = root,
                                          .issuer_key = root_key};
    return certificate_make(&plan, &authority, err) &&
           pair_save(directory, "device-root", root, root_key, err) &&
           pair_save(directory, "device-ca", authority, key, err);
}

bool enrolment_service_authority(const struct options *options, json_t *result, struct err *err)
{
    if (!service_authority_make(options->dir, "Simulated enrolment service root", err) ||
        !device_authority_make(options->dir, err))
        return false;
    json_object_set_new(result, "dir", json_string(options->dir));
    return true;
}

/* ---- token ---- */

static json_t *token_make(void *owner, const struct options *options)
{
    int64_t days = options->days ? options->days : TOKEN_DAYS;
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "consumer_key",
                     options->consumer ? options->consumer : "CK_simulated", "consumer_secret",
                     mem_format(owner, "CS_%s", random_text(owner, SECRET_BITS)), "access_token",
                     mem_format(owner, "AT_%s", random_text(owner, SECRET_BITS)), "access_secret",
                     mem_format(owner, "AS_%s", random_text(owner, SECRET_BITS)),
                     "access_token_expiry", time_text(owner, clock_now() + days * DAY_SECONDS));
}

static bool token_encrypt(const char *text, const struct certificates *recipients, BIO *out,
                          struct err *err)
{
    const unsigned flags = CMS_BINARY | CMS_STREAM; /* BER in pieces, as Apple's */
    CLEANUP(BIO_free_all_at) BIO *in = mem_must(BIO_new_mem_buf(text, -1));
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms =
        CMS_encrypt(certificates_stack(recipients), in, EVP_aes_256_cbc(), flags);
    if (!cms || SMIME_write_CMS(out, cms, in, (int)flags) != 1)
        return openssl_failed(err, ERR_INTERNAL, "encrypting a token");
    return true;
}

bool enrolment_service_token(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    CLEANUP(BIO_free_all_at) BIO *out = mem_must(BIO_new(BIO_s_mem()));
    CLEANUP(json_decref_at) json_t *token = token_make(owner, options);
    struct certificates *recipients = NULL;
    const char *json = json_text(owner, token);
    const char *text = mem_format(owner,
                                  "Content-Type: text/plain;charset=UTF-8\r\n"
                                  "Content-Transfer-Encoding: 7bit\r\n\r\n"
                                  "-----BEGIN MESSAGE-----\r\n%s\r\n-----END MESSAGE-----\r\n",
                                  json);
    const char *kept = mem_format(owner, "%s/" SERVICE_TOKEN_FILE, options->dir);
    if (!certificates_load(owner, options->cert, &recipients, err) ||
        !token_encrypt(text, recipients, out, err) ||
        !file_write(options->out, bio_bytes(owner, out), 0600, err) ||
        !file_write(kept, bytes_text(json), 0600, err))
        return false;
    json_object_set_new(result, "token", json_string(options->out));
    return true;
}
