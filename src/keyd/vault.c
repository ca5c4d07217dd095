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
#include "pki/keyd_wire.h"

#define AUDIT_FILE "audit"
#define LIST_VERSION 1
#define LIST_SIZE ((size_t)8 << 10) /* bytes */

static int vault_free(struct vault *vault)
{
    for (size_t i = 0; i < vault->generation_count; i++)
        generation_free(&vault->generations[i]);
    EVP_PKEY_free(vault->audit_key);
    return 0;
}

/* ---- which generations there are ---- */

struct generation *vault_number(struct vault *vault, int64_t number)
{
    for (size_t i = 0; i < vault->generation_count; i++)
        if (vault->generations[i].number == number)
            return &vault->generations[i];
    return NULL;
}

struct generation *vault_role(struct vault *vault, enum authority_role role)
{
    for (size_t i = 0; i < vault->generation_count; i++)
        if (vault->generations[i].role == role)
            return &vault->generations[i];
    return NULL;
}

struct generation *vault_current(struct vault *vault)
{
    struct generation *current = vault_role(vault, AUTHORITY_CURRENT);
    if (!current)
        bug("an authority without a generation that issues");
    return current;
}

bool vault_signing(struct vault *vault, int64_t number, struct generation **out, struct err *err)
{
    struct generation *found = number == 0 ? vault_current(vault) : vault_number(vault, number);
    if (!found || (found->role != AUTHORITY_CURRENT && found->role != AUTHORITY_EARLIER))
        return err_set(err, ERR_NOT_FOUND, "no authority of the number %lld signs",
                       (long long)number);
    *out = found;
    return true;
}

bool vault_list_save(struct vault *vault, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer value;
    struct bytes whole;
    buffer_init(&value, scratch, LIST_SIZE);
    wire_u32(&value, LIST_VERSION);
    wire_i64(&value, vault->tls_number);
    wire_u32(&value, (uint32_t)vault->generation_count);
    for (size_t i = 0; i < vault->generation_count; i++) {
        const struct generation *one = &vault->generations[i];
        wire_i64(&value, one->number);
        wire_u8(&value, (uint8_t)one->role);
        wire_i64(&value, one->since);
    }
    return buffer_done(&value, &whole, err) && slots_save(vault->list, whole, err);
}

static bool list_read(struct vault *vault, struct bytes value, struct err *err)
{
    struct reader in = reader_of(value);
    uint32_t version = reader_u32(&in);
    int64_t tls_number = wire_get_i64(&in);
    uint32_t count = reader_u32(&in);
    if (!reader_ok(&in) || version != LIST_VERSION || count == 0 || count > GENERATIONS_MAX)
        return err_set(err, ERR_PRECONDITION, "the list of authorities is of another version");
    for (uint32_t i = 0; i < count; i++) {
        struct generation *one = &vault->generations[i];
        one->number = wire_get_i64(&in);
        one->role = (enum authority_role)reader_u8(&in);
        one->since = wire_get_i64(&in);
    }
    if (!reader_done(&in))
        return err_set(err, ERR_PRECONDITION, "the list of authorities is damaged");
    vault->generation_count = count;
    vault->tls_number = tls_number;
    return vault_role(vault, AUTHORITY_CURRENT) && vault_number(vault, tls_number)
               ? true
               : err_set(err, ERR_PRECONDITION, "the list of authorities lacks the current one");
}

/* Without a list there is one generation; its first writing may have been torn. */
static bool list_open(struct vault *vault, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/generations.slots", vault->directory);
    struct bytes value;
    if (!slots_open(vault, path, vault->master, &vault->list, err))
        return false;
    if (slots_load(scratch, vault->list, &value))
        return list_read(vault, value, err);
    if (access(generation_directory(scratch, vault, 2), F_OK) == 0) {
        (void)err_set(err, ERR_PRECONDITION, "%s: the list of authorities cannot be opened", path);
        err->remedy = "restore the directory from its backup";
        return false;
    }
    vault->generations[0] = (struct generation){.number = 1, .role = AUTHORITY_CURRENT};
    vault->generation_count = 1;
    vault->tls_number = 1;
    return vault_list_save(vault, err);
}

bool vault_journal(struct vault *vault, const char *purpose, const X509 *certificate, int64_t now,
                   struct err *err)
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

/* ---- opening ---- */

static bool audit_open(struct vault *vault, bool may_create, struct err *err)
{
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/" AUDIT_FILE ".key", vault->directory);
    struct err missing;
    if (keyfile_load_key(path, vault->master, AUDIT_FILE, &vault->audit_key, &missing))
        return true;
    if (missing.kind != ERR_NOT_FOUND || !may_create)
        return err_set(err, missing.kind, "%s", missing.text);
    vault->audit_key = EVP_EC_gen("P-256");
    return vault->audit_key
               ? keyfile_save_key(path, vault->master, AUDIT_FILE, vault->audit_key, err)
               : openssl_fail(err, ERR_INTERNAL, "making a key");
}

static bool generations_open(struct vault *vault, bool may_create, int64_t now, struct err *err)
{
    for (size_t i = 0; i < vault->generation_count; i++)
        if (!generation_open(vault, &vault->generations[i], may_create, now, err))
            return false;
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
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/" AUDIT_FILE ".key", directory);
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
    vault->directory = mem_text(vault, directory);
    vault->organization = mem_text(vault, named ? options->organization : "Muster");
    if (!master_open(vault, directory, options->credential, first, &vault->master, err))
        return false;
    if (!journal_open(vault, mem_format(vault, "%s/journal", directory), vault->master,
                      &vault->journal, err) ||
        !slots_open(vault, mem_format(vault, "%s/tls.slots", directory), vault->master, &vault->tls,
                    err) ||
        !slots_open(vault, mem_format(vault, "%s/audit.slots", directory), vault->master,
                    &vault->audit, err) ||
        !list_open(vault, err) || !generations_open(vault, first, now, err) ||
        !audit_open(vault, first, err))
        return false;
    if (first)
        log_event(LOG_INFO, "keyd.authority_made", "organization", vault->organization, NULL);
    *out = mem_give(owner, &vault);
    return true;
}

bool vault_refresh(struct vault *vault, int64_t now, struct err *err)
{
    for (size_t i = 0; i < vault->generation_count; i++)
        if (!generation_refresh(vault, &vault->generations[i], now, err))
            return false;
    return true;
}

bool vault_issue(struct vault *vault, const struct generation *generation, struct build_plan *plan,
                 const char *purpose, int64_t now, X509 **out, struct err *err)
{
    const struct identity *issuer = &generation->identities[IDENTITY_ISSUING];
    int64_t last = build_not_after(issuer->certificate);
    int64_t first = build_not_before(issuer->certificate);
    plan->not_after = plan->not_after > last ? last : plan->not_after;
    plan->not_before = plan->not_before < first ? first : plan->not_before;
    if (plan->not_before >= plan->not_after)
        return err_set(err, ERR_BAD_INPUT, "the certificate would end before it begins");
    CLEANUP(X509_free_at) X509 *certificate = NULL;
    if (!build_certificate(plan, issuer->certificate, issuer->key, &certificate, err) ||
        !vault_journal(vault, purpose, certificate, now, err))
        return false;
    *out = certificate;
    certificate = NULL;
    return true;
}
