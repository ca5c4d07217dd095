/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority for the simulated APNs: its server certificate, and push certificates
 * made from a request as Apple's portal makes them (the topic is the subject's UID).
 */
#include <openssl/pem.h>

#include "base/config.h"
#include "base/id.h"
#include "base/text.h"
#include "sim/authority.h"
#include "sim/program.h"

#define REQUEST_MAX 65536

bool apns_authority(const struct options *options, json_t *result, struct err *err)
{
    if (!service_authority_make(options->dir, "Simulated APNs root", err))
        return false;
    json_object_set_new(result, "dir", json_string(options->dir));
    return true;
}

/* The request's own signature counts, its names do not: Apple's portal writes the subject. */
static bool request_key(const char *path, EVP_PKEY **out, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct bytes content;
    if (!file_read(scratch, path, REQUEST_MAX, &content, err))
        return false;
    CLEANUP(BIO_free_all_at) BIO *in = mem_must(BIO_new_mem_buf(content.data, (int)content.size));
    CLEANUP(X509_REQ_free_at) X509_REQ *request = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
    EVP_PKEY *key = request ? X509_REQ_get_pubkey(request) : NULL;
    if (!key || X509_REQ_verify(request, key) != 1) {
        EVP_PKEY_free(key);
        return openssl_failed(err, ERR_BAD_INPUT, path);
    }
    *out = key;
    return true;
}

bool apns_sign(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *ca_key = NULL;
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
    CLEANUP(X509_free_at) X509 *push = NULL;
    struct certificates *ca = NULL;
    if (!text_starts(options->topic, "com.apple.mgmt."))
        return err_set(err, ERR_BAD_INPUT, "a topic begins with com.apple.mgmt.");
    if (!key_load(mem_format(owner, "%s/ca.key", options->dir), &ca_key, err) ||
        !certificates_load(owner, mem_format(owner, "%s/ca.pem", options->dir), &ca, err) ||
        !request_key(options->csr, &key, err))
        return false;
    struct certificate_plan plan = {.common_name = mem_format(owner, "APSP:%s", id_make(owner)),
                                    .uid = options->topic,
                                    .usage = "critical,digitalSignature",
                                    .extended_usage = "clientAuth",
                                    .constraints = "critical,CA:FALSE",
                                    .subject_key = key,
                                    .issuer = certificates_get(ca, 0),
                                    .issuer_key = ca_key};
    if (!certificate_make(&plan, &push, err) || !certificate_save(options->out, push, err))
        return false;
    json_object_set_new(result, "certificate", json_string(options->out));
    return true;
}
