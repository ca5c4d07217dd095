/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority for the simulated APNs: its server certificate, and push certificates
 * made from a request as Apple's portal makes them (the topic is the subject's UID).
 */
#include <errno.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/id.h"
#include "base/text.h"
#include "sim/openssl.h"
#include "sim/program.h"

#define YEAR_SECONDS (365 * 24 * 3600L)
#define KEY_BITS 2048
#define REQUEST_MAX 65536

struct template
{
    const char *common_name, *uid;
    const char *usage, *extended_usage, *alternatives, *constraints; /* OpenSSL's spelling */
    EVP_PKEY *subject_key;
    X509 *issuer; /* NULL: signs itself */
    EVP_PKEY *issuer_key;
};

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

static bool certificate_fill(X509 *certificate, const struct template *template)
{
    uint64_t serial = 0;
    random_bytes(&serial, sizeof(serial));
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
           name_entry_add(name, "UID", template->uid) &&
           name_entry_add(name, "CN", template->common_name) &&
           X509_set_issuer_name(
               certificate,
               X509_get_subject_name(template->issuer ? template->issuer : certificate)) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), YEAR_SECONDS) &&
           X509_set_pubkey(certificate, template->subject_key) == 1 &&
           extension_add(certificate, NID_basic_constraints, template->constraints) &&
           extension_add(certificate, NID_key_usage, template->usage) &&
           extension_add(certificate, NID_ext_key_usage, template->extended_usage) &&
           extension_add(certificate, NID_subject_alt_name, template->alternatives) &&
           X509_sign(certificate, template->issuer_key, EVP_sha256()) > 0;
}

static bool certificate_make(const struct template *template, X509 **out, struct err *err)
{
    CLEANUP(X509_free_at) X509 *certificate = mem_must(X509_new());
    if (!certificate_fill(certificate, template))
        return openssl_failed(err, ERR_INTERNAL, "making a certificate");
    *out = certificate;
    certificate = NULL;
    return true;
}

static bool certificate_save(const char *path, X509 *certificate, struct err *err)
{
    CLEANUP(mem_free_at) struct certificates *list = certificates_new(NULL);
    certificates_add(list, certificate);
    return file_write(path, certificates_render(list, list), 0644, err);
}

static bool pair_save(const char *directory, const char *name, X509 *certificate, EVP_PKEY *key,
                      struct err *err)
{
    CLEANUP(mem_free_at) char *certificate_path = mem_format(NULL, "%s/%s.pem", directory, name);
    CLEANUP(mem_free_at) char *key_path = mem_format(NULL, "%s/%s.key", directory, name);
    return key_save(key_path, key, err) && certificate_save(certificate_path, certificate, err);
}

bool apns_authority(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *ca_key = NULL;
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *server_key = NULL;
    CLEANUP(X509_free_at) X509 *ca = NULL;
    CLEANUP(X509_free_at) X509 *server = NULL;
    if (mkdir(options->dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", options->dir, strerror(errno));
    if (!key_make_rsa(KEY_BITS, &ca_key, err) || !key_make_rsa(KEY_BITS, &server_key, err))
        return false;
    struct template root = {.common_name = "Simulated APNs root",
                            .constraints = "critical,CA:TRUE",
                            .usage = "critical,keyCertSign,cRLSign",
                            .subject_key = ca_key,
                            .issuer_key = ca_key};
    if (!certificate_make(&root, &ca, err))
        return false;
    struct template leaf = {.common_name = "localhost",
                            .usage = "critical,digitalSignature,keyEncipherment",
                            .extended_usage = "serverAuth",
                            .alternatives = "DNS:localhost,IP:127.0.0.1",
                            .subject_key = server_key,
                            .issuer = ca,
                            .issuer_key = ca_key};
    if (!certificate_make(&leaf, &server, err) || !pair_save(options->dir, "ca", ca, ca_key, err) ||
        !pair_save(options->dir, "server", server, server_key, err))
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
    struct template template = {.common_name = mem_format(owner, "APSP:%s", id_make(owner)),
                                .uid = options->topic,
                                .usage = "critical,digitalSignature",
                                .extended_usage = "clientAuth",
                                .constraints = "critical,CA:FALSE",
                                .subject_key = key,
                                .issuer = certificates_get(ca, 0),
                                .issuer_key = ca_key};
    if (!certificate_make(&template, &push, err) || !certificate_save(options->out, push, err))
        return false;
    json_object_set_new(result, "certificate", json_string(options->out));
    return true;
}
