/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/external.h"

#include <errno.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "keyd/enter.h"
#include "keyd/keyfile.h"

#define DAY ((int64_t)86400)
#define LIFE_LEAST                                                                                 \
    (180 * DAY) /* of the issuing CA: its helpers are renewed 60 days before its end */
#define CERTIFICATES_MOST 2
#define SECURITY_LEVEL 2 /* of OpenSSL: RSA from 2048 bits, digests from SHA-224 */

/* ---- the request ---- */

static bool extensions_ask(X509_REQ *request, const X509 *present, struct err *err)
{
    static const int asked[] = {NID_basic_constraints, NID_key_usage, NID_subject_key_identifier};
    STACK_OF(X509_EXTENSION) *list = NULL;
    bool fine = true;
    for (size_t i = 0; i < COUNT(asked); i++) {
        X509_EXTENSION *one = X509_get_ext(present, X509_get_ext_by_NID(present, asked[i], -1));
        fine = fine && one && X509v3_add_ext(&list, one, -1);
    }
    fine = fine && X509_REQ_add_extensions(request, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return fine || openssl_fail(err, ERR_INTERNAL, "extensions of the request");
}

/* The next one, where one was prepared, else the one that there is. */
static struct generation *generation_meant(struct vault *vault)
{
    struct generation *next = vault_role(vault, AUTHORITY_NEXT);
    return next ? next : vault_current(vault);
}

bool keyd_external_request(void *owner, const struct keyd_options *options, char **pem,
                           struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct vault *vault;
    if (!keyd_enter(options, scratch, clock_now(), &vault, err))
        return false;
    const struct identity *issuing = &generation_meant(vault)->identities[IDENTITY_ISSUING];
    CLEANUP(X509_REQ_free_at) X509_REQ *request = X509_REQ_new();
    if (!request || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request, X509_get_subject_name(issuing->certificate)) != 1 ||
        X509_REQ_set_pubkey(request, issuing->key) != 1)
        return openssl_fail(err, ERR_INTERNAL, "the request");
    if (!extensions_ask(request, issuing->certificate, err))
        return false;
    if (X509_REQ_sign(request, issuing->key, EVP_sha256()) <= 0)
        return openssl_fail(err, ERR_INTERNAL, "signing the request");
    *pem = pem_encode(owner, "CERTIFICATE REQUEST", DER_OF(scratch, i2d_X509_REQ, request));
    return true;
}

/* ---- what came back ---- */

struct chain {
    X509 *issuing, *root;
};

static int chain_free(struct chain *chain)
{
    X509_free(chain->issuing);
    X509_free(chain->root);
    return 0;
}

static bool one_take(struct chain *chain, X509 *one, EVP_PKEY *key)
{
    bool is_issuing = X509_check_private_key(one, key) == 1;
    X509 **place = is_issuing ? &chain->issuing : &chain->root;
    ERR_clear_error();
    if (*place)
        return false;
    *place = one;
    return true;
}

static bool chain_read(struct bytes pem, EVP_PKEY *key, struct chain *chain, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *one;
    while (memory && (one = PEM_read_bio_X509(memory, NULL, NULL, NULL))) {
        if (!one_take(chain, one, key)) {
            X509_free(one);
            return err_set(err, ERR_BAD_INPUT,
                           "the file holds more than the issuing CA and one root");
        }
    }
    ERR_clear_error();
    if (!chain->issuing)
        return err_set(err, ERR_BAD_INPUT,
                       "no certificate in the file is for the issuing CA's key");
    return chain->root || err_set(err, ERR_BAD_INPUT, "the root is not in the file");
}

/* Certificates issued before name their issuer so: they must go on to find it. */
static bool same_check(X509 *issuing, X509 *present, struct err *err)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuing);
    if (X509_NAME_cmp(X509_get_subject_name(issuing), X509_get_subject_name(present)) != 0)
        return err_set(err, ERR_BAD_INPUT, "the issuing CA's name was changed");
    return (id && ASN1_OCTET_STRING_cmp(id, X509_get0_subject_key_id(present)) == 0) ||
           err_set(err, ERR_BAD_INPUT,
                   "the issuing CA's subject key identifier is not the one of the request");
}

/* X509_check_ca() is content with less: the two bits are looked at themselves. */
static bool authority_check(X509 *certificate, const char *what, struct err *err)
{
    const uint32_t usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    uint32_t flags = X509_get_extension_flags(certificate);
    if (!(flags & EXFLAG_CA) || flags & EXFLAG_INVALID)
        return err_set(err, ERR_BAD_INPUT, "%s is not certified as an authority", what);
    return !(flags & EXFLAG_KUSAGE) || (X509_get_key_usage(certificate) & usage) == usage ||
           err_set(err, ERR_BAD_INPUT, "%s may not sign certificates and revocation lists", what);
}

static bool purposes_check(X509 *issuing, struct err *err)
{
    const uint32_t all = XKU_SSL_CLIENT | XKU_SSL_SERVER | XKU_SMIME | XKU_OCSP_SIGN;
    if (!(X509_get_extension_flags(issuing) & EXFLAG_XKUSAGE))
        return true;
    uint32_t has = X509_get_extended_key_usage(issuing);
    return has & XKU_ANYEKU || (has & all) == all ||
           err_set(err, ERR_BAD_INPUT,
                   "the issuing CA is limited to purposes that lack clientAuth, serverAuth, "
                   "emailProtection or OCSPSigning");
}

/* The whole path of a certificate that is in use: dates, lengths, names, strengths. */
static bool path_check(const struct chain *chain, X509 *leaf, int64_t now, struct err *err)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = X509_STORE_new();
    CLEANUP(X509_STORE_CTX_free_at) X509_STORE_CTX *path = X509_STORE_CTX_new();
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *between = sk_X509_new_null();
    if (!store || !path || !between || X509_STORE_add_cert(store, chain->root) != 1 ||
        sk_X509_push(between, chain->issuing) <= 0 ||
        X509_STORE_CTX_init(path, store, leaf, between) != 1)
        return openssl_fail(err, ERR_INTERNAL, "a chain");
    X509_STORE_CTX_set_time(path, 0, (time_t)now);
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(path), SECURITY_LEVEL);
    if (X509_verify_cert(path) == 1)
        return true;
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(path));
    ERR_clear_error();
    return err_set(err, ERR_BAD_INPUT, "the chain does not hold: %s", why);
}

static bool chain_check(const struct generation *generation, const struct chain *chain, int64_t now,
                        struct err *err)
{
    const struct identity *had = generation->identities;
    if (!same_check(chain->issuing, had[IDENTITY_ISSUING].certificate, err) ||
        !authority_check(chain->root, "the root", err) ||
        !authority_check(chain->issuing, "the issuing CA", err) ||
        !purposes_check(chain->issuing, err))
        return false;
    if (build_not_after(chain->issuing) < now + LIFE_LEAST)
        return err_set(err, ERR_BAD_INPUT, "the issuing CA would end within %d days",
                       (int)(LIFE_LEAST / DAY));
    return path_check(chain, had[IDENTITY_REGISTRATION].certificate, now, err) &&
           path_check(chain, had[IDENTITY_PROFILE].certificate, now, err);
}

/* ---- putting it in place ---- */

/* What was there first stays there. */
static bool certificate_keep(const char *directory, const char *name, X509 *certificate,
                             struct err *err)
{
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/%s.crt.own", directory, name);
    return access(path, F_OK) == 0 || keyfile_save_certificate(path, certificate, err);
}

static bool key_aside(const char *directory, struct err *err)
{
    CLEANUP(mem_free_at) char *from = mem_format(NULL, "%s/root.key", directory);
    CLEANUP(mem_free_at) char *to = mem_format(NULL, "%s.own", from);
    return rename(from, to) == 0 || errno == ENOENT ||
           err_set(err, ERR_UNAVAILABLE, "%s: %s", from, strerror(errno));
}

/* The TLS identities carry the chain with them: new ones are made when they are asked for. */
static bool identities_forget(const char *directory, struct err *err)
{
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/tls.slots", directory);
    return unlink(path) == 0 || errno == ENOENT ||
           err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

/* A crash on the way leaves what opens, and can be imported into once more. */
static bool chain_place(const struct vault *vault, const struct generation *generation,
                        const struct chain *chain, struct err *err)
{
    const struct identity *had = generation->identities;
    CLEANUP(mem_free_at)
    char *directory = generation_directory(NULL, vault, generation->number);
    bool shows_it = vault->tls_number == generation->number;
    CLEANUP(mem_free_at) char *root = mem_format(NULL, "%s/root.crt", directory);
    CLEANUP(mem_free_at) char *issuing = mem_format(NULL, "%s/issuing.crt", directory);
    return certificate_keep(directory, "root", had[IDENTITY_ROOT].certificate, err) &&
           certificate_keep(directory, "issuing", had[IDENTITY_ISSUING].certificate, err) &&
           key_aside(directory, err) && keyfile_save_certificate(issuing, chain->issuing, err) &&
           keyfile_save_certificate(root, chain->root, err) &&
           (!shows_it || identities_forget(vault->directory, err));
}

static bool journal_import(const struct vault *vault, const struct chain *chain, int64_t now,
                           struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    const char *facts =
        mem_format(scratch, "purpose=authority certificate=%s root=%s",
                   digest_sha256_hex(scratch, DER_OF(scratch, i2d_X509, chain->issuing)),
                   digest_sha256_hex(scratch, DER_OF(scratch, i2d_X509, chain->root)));
    return journal_add(vault->journal, now, "import", facts, err);
}

bool keyd_external_import(const struct keyd_options *options, struct bytes chain_pem, int64_t now,
                          struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct chain *chain = mem_new(scratch, struct chain);
    struct vault *vault;
    mem_destructor(chain, chain_free);
    if (chain_pem.size > EXTERNAL_CHAIN_MAX)
        return err_set(err, ERR_TOO_LARGE, "the file exceeds %d bytes", EXTERNAL_CHAIN_MAX);
    if (!keyd_enter(options, scratch, now, &vault, err))
        return false;
    const struct generation *meant = generation_meant(vault);
    return chain_read(chain_pem, meant->identities[IDENTITY_ISSUING].key, chain, err) &&
           chain_check(meant, chain, now, err) && journal_import(vault, chain, now, err) &&
           chain_place(vault, meant, chain, err);
}
