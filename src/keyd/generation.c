/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/generation.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "keyd/keyfile.h"
#include "keyd/vault.h"
#include "pki/certificate.h"

#define DAY ((int64_t)86400)
#define TITLE_NAME_SIZE 40         /* bytes: a common name has at most 64, X.520 ub-common-name */
#define TITLE_NUMBER_SIZE 5        /* of those, for the number of a later generation */
#define CLOCK_SLACK ((int64_t)600) /* seconds that a device's clock may be behind */

/* clang-format off */
static const struct build_extension root_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {0}};
static const struct build_extension issuing_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension registration_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension profile_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "emailProtection"}, /* what CMS verifiers ask of a signer */
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};
static const struct build_extension ocsp_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "OCSPSigning"},
    {NID_id_pkix_OCSP_noCheck, "NULL"}, /* RFC 6960 4.2.2.2.1 */
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {0}};

#define SELF IDENTITY_COUNT

static const struct recipe {
    const char *file, *title;
    int rsa_bits;               /* 0: P-256 */
    enum identity_name issuer;  /* SELF: self-signed */
    int64_t days, renew_days;   /* 0: never renewed by itself */
    const struct build_extension *extensions;
    bool is_kept;               /* when it is retired: see generation_destroy() */
} recipes[IDENTITY_COUNT] = {
    [IDENTITY_ROOT] = {"root", "Device Root CA", 3072, SELF, 3650, 0, root_extensions, false},
    [IDENTITY_ISSUING] = {"issuing", "Devices CA", 2048, IDENTITY_ROOT, 3650, 0,
                          issuing_extensions, false},
    [IDENTITY_REGISTRATION] = {"registration", "Registration Authority", 2048, IDENTITY_ISSUING,
                               730, 60, registration_extensions, false},
    /* a device takes changes of its enrolment profile from who signed the first one alone */
    [IDENTITY_PROFILE] = {"profile", "Device Management", 2048, IDENTITY_ISSUING, 730, 60,
                          profile_extensions, true},
    [IDENTITY_OCSP] = {NULL, "OCSP Responder", 0, IDENTITY_ISSUING, 30, 15, ocsp_extensions, false},
};
/* clang-format on */

void generation_free(struct generation *generation)
{
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        EVP_PKEY_free(generation->identities[i].key);
        X509_free(generation->identities[i].certificate);
    }
}

char *generation_directory(void *owner, const struct vault *vault, int64_t number)
{
    return number == 1
               ? mem_text(owner, vault->directory)
               : mem_format(owner, "%s/authority-%lld", vault->directory, (long long)number);
}

static char *file_path(void *owner, const struct vault *vault, int64_t number, const char *file,
                       const char *end)
{
    CLEANUP(mem_free_at) char *directory = generation_directory(NULL, vault, number);
    return mem_format(owner, "%s/%s.%s", directory, file, end);
}

/* What a sealed key is bound to: none takes the place of another one, or of another generation's.
 */
static char *key_about(void *owner, int64_t number, const char *file)
{
    return number == 1 ? mem_text(owner, file)
                       : mem_format(owner, "%lld/%s", (long long)number, file);
}

/* ---- making ---- */

static void certificate_set(struct vault *vault, struct identity *identity, X509 *certificate)
{
    X509_free(identity->certificate);
    identity->certificate = certificate;
    identity->der = DER_OF(vault, i2d_X509, certificate);
}

/* Names tell generations apart: lists are looked for by the name of their issuer. */
static char *title_make(void *owner, const struct vault *vault, int64_t number, const char *title)
{
    size_t room = number == 1 ? TITLE_NAME_SIZE : TITLE_NAME_SIZE - TITLE_NUMBER_SIZE;
    CLEANUP(mem_free_at) char *short_name = text_begin(NULL, vault->organization, room);
    return number == 1 ? mem_format(owner, "%s %s", short_name, title)
                       : mem_format(owner, "%s %s G%lld", short_name, title, (long long)number);
}

/* Build a certificate for a key of ours; it is in the journal before it is used. */
static bool identity_certify(struct vault *vault, struct generation *generation,
                             enum identity_name name, int64_t now, struct err *err)
{
    const struct recipe *recipe = &recipes[name];
    struct identity *identity = &generation->identities[name];
    const struct identity *issuer =
        recipe->issuer == SELF ? identity : &generation->identities[recipe->issuer];
    if (!issuer->key)
        return err_set(err, ERR_PRECONDITION, "the key of the issuer of %s is not here",
                       recipe->title);
    CLEANUP(mem_free_at)
    char *title = title_make(NULL, vault, generation->number, recipe->title);
    struct build_plan plan = {.common_name = title,
                              .organization = vault->organization,
                              .key = identity->key,
                              .not_before = now - CLOCK_SLACK,
                              .not_after = now + recipe->days * DAY,
                              .extensions = recipe->extensions};
    certificate_serial_make(plan.serial);
    X509 *certificate;
    if (recipe->issuer != SELF && plan.not_after > build_not_after(issuer->certificate))
        plan.not_after = build_not_after(issuer->certificate);
    if (!build_certificate(&plan, recipe->issuer == SELF ? NULL : issuer->certificate, issuer->key,
                           &certificate, err))
        return err_context(err, "%s", recipe->title);
    if (!vault_journal(vault, "authority", certificate, now, err)) {
        X509_free(certificate);
        return false;
    }
    certificate_set(vault, identity, certificate);
    return true;
}

static bool identity_generate(struct identity *identity, enum identity_name name, struct err *err)
{
    EVP_PKEY_free(identity->key);
    identity->key =
        recipes[name].rsa_bits ? EVP_RSA_gen((size_t)recipes[name].rsa_bits) : EVP_EC_gen("P-256");
    return identity->key || openssl_fail(err, ERR_INTERNAL, "making a key");
}

/* ---- opening ---- */

static bool key_ensure(struct vault *vault, struct generation *generation, enum identity_name name,
                       bool may_create, struct err *err)
{
    const struct recipe *recipe = &recipes[name];
    struct identity *identity = &generation->identities[name];
    CLEANUP(mem_free_at)
    char *path = file_path(NULL, vault, generation->number, recipe->file, "key");
    CLEANUP(mem_free_at) char *about = key_about(NULL, generation->number, recipe->file);
    struct err missing;
    if (keyfile_load_key(path, vault->master, about, &identity->key, &missing))
        return true;
    if (missing.kind == ERR_NOT_FOUND && !may_create && name == IDENTITY_ROOT)
        return true; /* kept offline */
    if (missing.kind != ERR_NOT_FOUND || !may_create) {
        (void)err_set(err, missing.kind, "%s", missing.text);
        err->remedy = "restore the directory from its backup; keys are never replaced silently";
        return false;
    }
    return identity_generate(identity, name, err) &&
           keyfile_save_key(path, vault->master, about, identity->key, err);
}

/* A new certificate would end later: the issuer lives longer. */
static bool is_renewable(const struct generation *generation, enum identity_name name, int64_t now)
{
    const struct recipe *recipe = &recipes[name];
    const struct identity *identity = &generation->identities[name];
    if (recipe->renew_days == 0 || !identity->certificate ||
        build_not_after(identity->certificate) - now >= recipe->renew_days * DAY)
        return false;
    return build_not_after(generation->identities[recipe->issuer].certificate) >
           build_not_after(identity->certificate);
}

static bool certificate_ensure(struct vault *vault, struct generation *generation,
                               enum identity_name name, bool may_create, int64_t now,
                               struct err *err)
{
    struct identity *identity = &generation->identities[name];
    struct err missing;
    X509 *certificate;
    CLEANUP(mem_free_at)
    char *path = file_path(NULL, vault, generation->number, recipes[name].file, "crt");
    if (keyfile_load_certificate(path, &certificate, &missing)) {
        certificate_set(vault, identity, certificate);
        if (identity->key && X509_check_private_key(certificate, identity->key) != 1)
            return openssl_fail(err, ERR_PRECONDITION, path);
        if (!is_renewable(generation, name, now))
            return true;
    } else if (missing.kind != ERR_NOT_FOUND || !may_create) {
        return err_set(err, missing.kind, "%s", missing.text);
    }
    return identity_certify(vault, generation, name, now, err) &&
           keyfile_save_certificate(path, identity->certificate, err);
}

/* The delegate of an issuing CA that has ended would be valid for no moment. */
static bool delegate_ensure(struct vault *vault, struct generation *generation, int64_t now,
                            struct err *err)
{
    struct identity *identity = &generation->identities[IDENTITY_OCSP];
    if (build_not_after(generation->identities[IDENTITY_ISSUING].certificate) <= now)
        return true;
    return identity_generate(identity, IDENTITY_OCSP, err) &&
           identity_certify(vault, generation, IDENTITY_OCSP, now, err);
}

/* What is left of it: the chain, and who signed the profiles of its time, if that was ever used. */
static bool retired_open(struct vault *vault, struct generation *generation, struct err *err)
{
    static const enum identity_name chain[] = {IDENTITY_ROOT, IDENTITY_ISSUING, IDENTITY_PROFILE};
    const struct recipe *profile = &recipes[IDENTITY_PROFILE];
    struct identity *signer = &generation->identities[IDENTITY_PROFILE];
    for (size_t i = 0; i < COUNT(chain); i++) {
        X509 *certificate;
        CLEANUP(mem_free_at)
        char *path = file_path(NULL, vault, generation->number, recipes[chain[i]].file, "crt");
        if (!keyfile_load_certificate(path, &certificate, err))
            return false;
        certificate_set(vault, &generation->identities[chain[i]], certificate);
    }
    CLEANUP(mem_free_at)
    char *path = file_path(NULL, vault, generation->number, profile->file, "key");
    CLEANUP(mem_free_at) char *about = key_about(NULL, generation->number, profile->file);
    return keyfile_load_key(path, vault->master, about, &signer->key, err);
}

static bool directory_ensure(const struct vault *vault, int64_t number, struct err *err)
{
    CLEANUP(mem_free_at) char *path = generation_directory(NULL, vault, number);
    return mkdir(path, 0700) == 0 || errno == EEXIST ||
           err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

bool generation_open(struct vault *vault, struct generation *generation, bool may_create,
                     int64_t now, struct err *err)
{
    if (generation->role == AUTHORITY_RETIRED)
        return retired_open(vault, generation, err);
    if (may_create && !directory_ensure(vault, generation->number, err))
        return false;
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        enum identity_name name = (enum identity_name)i;
        if (!recipes[i].file) {
            if (!delegate_ensure(vault, generation, now, err))
                return false;
            continue;
        }
        if (!key_ensure(vault, generation, name, may_create, err) ||
            !certificate_ensure(vault, generation, name, may_create, now, err))
            return false;
    }
    return true;
}

bool generation_refresh(struct vault *vault, struct generation *generation, int64_t now,
                        struct err *err)
{
    if (generation->role == AUTHORITY_RETIRED)
        return true;
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        enum identity_name name = (enum identity_name)i;
        if (!is_renewable(generation, name, now))
            continue;
        if (!recipes[i].file && !identity_generate(&generation->identities[i], name, err))
            return false;
        if (!identity_certify(vault, generation, name, now, err))
            return false;
    }
    return true;
}

bool generation_destroy(const struct vault *vault, int64_t number, struct err *err)
{
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        if (!recipes[i].file || recipes[i].is_kept)
            continue;
        CLEANUP(mem_free_at) char *path = file_path(NULL, vault, number, recipes[i].file, "key");
        if (unlink(path) != 0 && errno != ENOENT)
            return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    return true;
}
