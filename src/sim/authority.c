/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/authority.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/id.h"

#define YEAR_SECONDS (365 * 24 * 3600L)
#define KEY_BITS 2048

static bool extension_add(X509 *certificate, int nid, const char *value)
{
    if (!value)
        return true;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool done = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static bool name_entry_add(X509_NAME *name, const char *type, const char *value)
{
    return !value || X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
                                                (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool certificate_fill(X509 *certificate, const struct certificate_plan *plan)
{
    uint64_t serial = 0;
    random_bytes(&serial, sizeof(serial));
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
           name_entry_add(name, "UID", plan->uid) &&
           name_entry_add(name, "CN", plan->common_name) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(
                                                 plan->issuer ? plan->issuer : certificate)) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), YEAR_SECONDS) &&
           X509_set_pubkey(certificate, plan->subject_key) == 1 &&
           extension_add(certificate, NID_basic_constraints, plan->constraints) &&
           extension_add(certificate, NID_key_usage, plan->usage) &&
           extension_add(certificate, NID_ext_key_usage, plan->extended_usage) &&
           extension_add(certificate, NID_subject_alt_name, plan->alternatives) &&
           X509_sign(certificate, plan->issuer_key, EVP_sha256()) > 0;
}

bool certificate_make(const struct certificate_plan *plan, X509 **out, struct err *err)
{
    CLEANUP(X509_free_at) X509 *certificate = mem_must(X509_new());
    if (!certificate_fill(certificate, plan))
        return openssl_failed(err, ERR_INTERNAL, "making a certificate");
    *out = certificate;
    certificate = NULL;
    return true;
}

bool certificate_save(const char *path, X509 *certificate, struct err *err)
{
    CLEANUP(mem_free_at) struct certificates *list = certificates_new(NULL);
    certificates_add(list, certificate);
    return file_write(path, certificates_render(list, list), 0644, err);
}

bool pair_save(const char *directory, const char *name, X509 *certificate, EVP_PKEY *key,
               struct err *err)
{
    CLEANUP(mem_free_at) char *certificate_path = mem_format(NULL, "%s/%s.pem", directory, name);
    CLEANUP(mem_free_at) char *key_path = mem_format(NULL, "%s/%s.key", directory, name);
    return key_save(key_path, key, err) && certificate_save(certificate_path, certificate, err);
}

bool service_authority_make(const char *directory, const char *name, struct err *err)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *ca_key = NULL;
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *server_key = NULL;
    CLEANUP(X509_free_at) X509 *ca = NULL;
    CLEANUP(X509_free_at) X509 *server = NULL;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", directory, strerror(errno));
    if (!key_make_rsa(KEY_BITS, &ca_key, err) || !key_make_rsa(KEY_BITS, &server_key, err))
        return false;
    struct certificate_plan root = {.common_name = name,
                                    .constraints = "critical,CA:TRUE",
                                    .usage = "critical,keyCertSign,cRLSign",
                                    .subject_key = ca_key,
                                    .issuer_key = ca_key};
    if (!certificate_make(&root, &ca, err))
        return false;
    struct certificate_plan leaf = {.common_name = "localhost",
                                    .usage = "critical,digitalSignature,keyEncipherment",
                                    .extended_usage = "serverAuth",
                                    .alternatives = "DNS:localhost,IP:127.0.0.1",
                                    .subject_key = server_key,
                                    .issuer = ca,
                                    .issuer_key = ca_key};
    return certificate_make(&leaf, &server, err) && pair_save(directory, "ca", ca, ca_key, err) &&
           pair_save(directory, "server", server, server_key, err);
}
