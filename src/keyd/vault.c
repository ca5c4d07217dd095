/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "keyd/keyfile.h"
#include "pki/certificate.h"

#define DAY ((int64_t)86400)
#define TITLE_NAME_SIZE 40         /* bytes: a common name has at most 64, X.520 ub-common-name */
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
    const struct build_extension *extensions; /* NULL: a key without certificate */
} recipes[IDENTITY_COUNT] = {
    [IDENTITY_ROOT] = {"root", "Device Root CA", 3072, SELF, 3650, 0, root_extensions},
    [IDENTITY_ISSUING] = {"issuing", "Devices CA", 2048, IDENTITY_ROOT, 3650, 0,
                          issuing_extensions},
    [IDENTITY_REGISTRATION] = {"registration", "Registration Authority", 2048, IDENTITY_ISSUING,
                               730, 60, registration_extensions},
    [IDENTITY_PROFILE] = {"profile", "Device Management", 2048, IDENTITY_ISSUING, 730, 60,
                          profile_extensions},
    [IDENTITY_OCSP] = {NULL, "OCSP Responder", 0, IDENTITY_ISSUING, 30, 15, ocsp_extensions},
    [IDENTITY_AUDIT] = {"audit", NULL, 0, SELF, 0, 0, NULL},
};
/* clang-format on */

static int vault_free(struct vault *vault)
{
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        EVP_PKEY_free(vault->identities[i].key);
        X509_free(vault->identities[i].certificate);
    }
    return 0;
}

/* ---- making ---- */

static void certificate_set(struct vault *vault, enum identity_name name, X509 *certificate)
{
    struct identity *identity = &vault->identities[name];
    X509_free(identity->certificate);
    identity->certificate = certificate;
    identity->der = DER_OF(vault, i2d_X509, certificate);
}

static bool journal_certificate(struct vault *vault, const char *purpose, const X509 *certificate,
                                int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes der = DER_OF(scratch, i2d_X509, certificate);
    struct bytes spki = DER_OF(scratch, i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate));
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    char *facts =
        mem_format(scratch, "purpose=%s serial=%s certificate=%s key=%s until=%s", purpose,
                   text_hex(scratch, (struct bytes){ASN1_STRING_get0_data(serial),
                                                    (size_t)ASN1_STRING_length(serial)}),
                   digest_sha256_hex(scratch, der), digest_sha256_hex(scratch, spki),
                   time_text(scratch, build_not_after(certificate)));
    return journal_add(vault->journal, now, "issue", facts, err);
}

/* Build a certificate for a key of ours; it is in the journal before it is used. */
static bool identity_certify(struct vault *vault, enum identity_name name, int64_t now,
                             struct err *err)
{
    const struct recipe *recipe = &recipes[name];
    struct identity *identity = &vault->identities[name];
    const struct identity *issuer =
        recipe->issuer == SELF ? identity : &vault->identities[recipe->issuer];
    if (!issuer->key)
        return err_set(err, ERR_PRECONDITION, "the key of the issuer of %s is not here",
                       recipe->title);
    CLEANUP(mem_free_at) char *short_name = text_begin(NULL, vault->organization, TITLE_NAME_SIZE);
    CLEANUP(mem_free_at) char *title = mem_format(NULL, "%s %s", short_name, recipe->title);
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
    if (!journal_certificate(vault, "authority", certificate, now, err)) {
        X509_free(certificate);
        return false;
    }
    certificate_set(vault, name, certificate);
    return true;
}

static bool identity_generate(struct vault *vault, enum identity_name name, struct err *err)
{
    struct identity *identity = &vault->identities[name];
    EVP_PKEY_free(identity->key);
    identity->key =
        recipes[name].rsa_bits ? EVP_RSA_gen((size_t)recipes[name].rsa_bits) : EVP_EC_gen("P-256");
    return identity->key || openssl_fail(err, ERR_INTERNAL, "making a key");
}

/* ---- opening ---- */

static bool key_ensure(struct vault *vault, const char *directory, enum identity_name name,
                       bool may_create, struct err *err)
{
    const struct recipe *recipe = &recipes[name];
    struct identity *identity = &vault->identities[name];
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/%s.key", directory, recipe->file);
    struct err missing;
    if (keyfile_load_key(path, vault->master, recipe->file, &identity->key, &missing))
        return true;
    if (missing.kind == ERR_NOT_FOUND && !may_create && name == IDENTITY_ROOT)
        return true; /* kept offline */
    if (missing.kind != ERR_NOT_FOUND || !may_create) {
        (void)err_set(err, missing.kind, "%s", missing.text);
        err->remedy = "restore the directory from its backup; keys are never replaced silently";
        return false;
    }
    return identity_generate(vault, name, err) &&
           keyfile_save_key(path, vault->master, recipe->file, identity->key, err);
}

static bool certificate_ensure(struct vault *vault, const char *directory, enum identity_name name,
                               bool may_create, int64_t now, struct err *err)
{
    const struct recipe *recipe = &recipes[name];
    struct err missing;
    X509 *certificate;
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/%s.crt", directory, recipe->file);
    if (keyfile_load_certificate(path, &certificate, &missing)) {
        certificate_set(vault, name, certificate);
        EVP_PKEY *key = vault->identities[name].key;
        if (key && X509_check_private_key(certificate, key) != 1)
            return openssl_fail(err, ERR_PRECONDITION, path);
        if (build_not_after(certificate) - now >= recipe->renew_days * DAY)
            return true;
    } else if (missing.kind != ERR_NOT_FOUND || !may_create) {
        return err_set(err, missing.kind, "%s", missing.text);
    }
    return identity_certify(vault, name, now, err) &&
           keyfile_save_certificate(path, vault->identities[name].certificate, err);
}

static bool identities_open(struct vault *vault, const char *directory, bool may_create,
                            int64_t now, struct err *err)
{
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        enum identity_name name = (enum identity_name)i;
        if (!recipes[i].file) { /* in memory alone */
            if (!identity_generate(vault, name, err) || !identity_certify(vault, name, now, err))
                return false;
            continue;
        }
        if (!key_ensure(vault, directory, name, may_create, err))
            return false;
        if (recipes[i].extensions &&
            !certificate_ensure(vault, directory, name, may_create, now, err))
            return false;
    }
    return true;
}

static bool directory_open(const char *path, struct err *err)
{
    struct stat about;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* open as long as we live: the lock */
    if (fd < 0 || fstat(fd, &about) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (about.st_mode & 077 || about.st_uid != geteuid())
        return err_set(err, ERR_PRECONDITION, "%s must belong to keyd's user with mode 0700", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT, "%s is in use by another key process", path);
    return true;
}

/* The audit key is made last: while it is missing, a first start is under way. */
static bool is_first_start(const char *directory)
{
    CLEANUP(mem_free_at)
    char *path = mem_format(NULL, "%s/%s.key", directory, recipes[IDENTITY_AUDIT].file);
    return access(path, F_OK) != 0;
}

bool vault_open(void *owner, const struct keyd_options *options, int64_t now, struct vault **out,
                struct err *err)
{
    const char *directory = options->directory;
    if (!directory_open(directory, err))
        return false;
    CLEANUP(mem_free_at) struct vault *vault = mem_new(NULL, struct vault);
    mem_destructor(vault, vault_free);
    bool first = is_first_start(directory), named = options->organization && *options->organization;
    vault->organization = mem_text(vault, named ? options->organization : "Muster");
    if (!master_open(vault, directory, options->credential, first, &vault->master, err))
        return false;
    if (!journal_open(vault, mem_format(vault, "%s/journal", directory), vault->master,
                      &vault->journal, err) ||
        !slots_open(vault, mem_format(vault, "%s/tls.slots", directory), vault->master, &vault->tls,
                    err) ||
        !slots_open(vault, mem_format(vault, "%s/audit.slots", directory), vault->master,
                    &vault->audit, err) ||
        !identities_open(vault, directory, first, now, err))
        return false;
    if (first)
        log_event(LOG_INFO, "keyd.authority_made", "organization", vault->organization, NULL);
    *out = mem_give(owner, &vault);
    return true;
}

bool vault_refresh(struct vault *vault, int64_t now, struct err *err)
{
    for (int i = 0; i < IDENTITY_COUNT; i++) {
        const struct identity *identity = &vault->identities[i];
        if (recipes[i].renew_days == 0 ||
            build_not_after(identity->certificate) - now >= recipes[i].renew_days * DAY)
            continue;
        if (!recipes[i].file && !identity_generate(vault, (enum identity_name)i, err))
            return false;
        if (!identity_certify(vault, (enum identity_name)i, now, err))
            return false;
    }
    return true;
}

bool vault_issue(struct vault *vault, struct build_plan *plan, const char *purpose, int64_t now,
                 X509 **out, struct err *err)
{
    const struct identity *issuer = &vault->identities[IDENTITY_ISSUING];
    int64_t last = build_not_after(issuer->certificate);
    int64_t first = build_not_before(issuer->certificate);
    plan->not_after = plan->not_after > last ? last : plan->not_after;
    plan->not_before = plan->not_before < first ? first : plan->not_before;
    if (plan->not_before >= plan->not_after)
        return err_set(err, ERR_BAD_INPUT, "the certificate would end before it begins");
    CLEANUP(X509_free_at) X509 *certificate = NULL;
    if (!build_certificate(plan, issuer->certificate, issuer->key, &certificate, err) ||
        !journal_certificate(vault, purpose, certificate, now, err))
        return false;
    *out = certificate;
    certificate = NULL;
    return true;
}
