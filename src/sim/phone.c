/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/phone.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "codec/base64.h"
#include "sim/declared.h"
#include "sim/trust.h"

#define STATE_SIZE_MAX ((size_t)64 << 20)
#define BIG_TEXT (48LL << 20) /* bytes of a text in state.json */

static const char *const status_names[] = {"new", "enrolled", "unenrolled", "erased", NULL};

static const struct field enrolment_fields[] = {
    ENUM_FIELD(struct enrolment, status, 0, status_names),
    TEXT_FIELD(struct enrolment, server_url, 0),
    TEXT_FIELD(struct enrolment, check_in_url, 0),
    TEXT_FIELD(struct enrolment, topic, 0),
    TEXT_FIELD(struct enrolment, push_magic, 0),
    TEXT_FIELD(struct enrolment, push_url, 0),
    TEXT_FIELD(struct enrolment, token, 0),
    TEXT_FIELD(struct enrolment, unlock_token, 0),
    TEXT_FIELD(struct enrolment, mdm_identifier, 0),
    TEXT_FIELD(struct enrolment, signer, 0),
    TEXT_FIELD(struct enrolment, last_token_update, 0, .highest = BIG_TEXT),
    TEXT_FIELD(struct enrolment, enrollment_id, 0),
    TEXT_FIELD(struct enrolment, account, 0),
    TEXT_FIELD(struct enrolment, bearer, 0),
    TEXT_FIELD(struct enrolment, bootstrap_token, 0),
    INTEGER_FIELD(struct enrolment, access_rights, 0),
    BOOLEAN_FIELD(struct enrolment, check_out_when_removed, 0),
    BOOLEAN_FIELD(struct enrolment, sign_message, 0),
    BOOLEAN_FIELD(struct enrolment, awaits_configuration, 0),
    BOOLEAN_FIELD(struct enrolment, is_fixed, 0),
};

static const struct field installed_fields[] = {
    TEXT_FIELD(struct installed, identifier, FIELD_REQUIRED),
    TEXT_FIELD(struct installed, uuid, FIELD_REQUIRED),
    TEXT_FIELD(struct installed, name, 0),
    TEXT_FIELD(struct installed, signer, 0),
    TEXT_FIELD(struct installed, plist, FIELD_REQUIRED, .highest = BIG_TEXT),
    TEXT_FIELD(struct installed, user, 0),
};

static const struct field declarative_fields[] = {
    BOOLEAN_FIELD(struct declarative, is_on, 0),
    BOOLEAN_FIELD(struct declarative, is_due, 0),
    TEXT_FIELD(struct declarative, offered, 0, .highest = BIG_TEXT),
    TEXT_FIELD(struct declarative, token, 0),
    TEXT_FIELD(struct declarative, reported, 0, .highest = BIG_TEXT),
};

static const struct field fetched_fields[] = {
    TEXT_FIELD(struct fetched, kind, FIELD_REQUIRED),
    TEXT_FIELD(struct fetched, identifier, FIELD_REQUIRED),
    TEXT_FIELD(struct fetched, token, FIELD_REQUIRED),
    TEXT_FIELD(struct fetched, text, FIELD_REQUIRED, .highest = BIG_TEXT),
    TEXT_FIELD(struct fetched, profile, 0),
    TEXT_FIELD(struct fetched, problem, 0),
    BOOLEAN_FIELD(struct fetched, is_carried, 0),
};

static const struct field pending_fields[] = {
    TEXT_FIELD(struct pending, uuid, 0),
    TEXT_FIELD(struct pending, request_type, 0),
    TEXT_FIELD(struct pending, status, 0),
    TEXT_FIELD(struct pending, body, 0, .highest = BIG_TEXT),
    BOOLEAN_FIELD(struct pending, leaves, 0),
};

static int phone_free(struct phone *phone)
{
    EVP_PKEY_free(phone->key);
    X509_free(phone->certificate);
    if (phone->lock >= 0)
        (void)close(phone->lock);
    return 0;
}

static char *file_of(void *owner, const struct phone *phone, const char *name)
{
    return mem_format(owner, "%s/%s", phone->directory, name);
}

static bool web_start(struct phone *phone, struct err *err)
{
    mem_free(phone->web);
    phone->web = NULL;
    phone->web_options.roots = phone->trusted;
    phone->web_options.system_roots = !phone->authority;
    if (!web_open(phone, &phone->web_options, &phone->web, err))
        return false;
    if (phone->certificate)
        web_identity_set(phone->web, phone->key, phone->certificate, phone->chain);
    return true;
}

static struct phone *phone_new(const char *directory, const struct web_options *options)
{
    struct phone *phone = mem_new(NULL, struct phone);
    mem_destructor(phone, phone_free);
    phone->directory = directory ? mem_text(phone, directory) : NULL;
    phone->web_options = *options;
    phone->trusted = certificates_new(phone);
    phone->lock = -1;
    return phone;
}

/* Wait until no other process works on this phone. */
static bool phone_lock(struct phone *phone, struct err *err)
{
    CLEANUP(mem_free_at) char *path = file_of(NULL, phone, "lock");
    phone->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return (phone->lock >= 0 && flock(phone->lock, LOCK_EX) == 0) ||
           err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "%s: %s", path,
                   strerror(errno));
}

static bool list_save(const struct phone *phone, const char *name, const struct certificates *list,
                      struct err *err)
{
    CLEANUP(mem_free_at) char *path = file_of(NULL, phone, name);
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    if (certificates_count(list) == 0)
        return unlink(path) == 0 || errno == ENOENT ||
               err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return file_write(path, certificates_render(scratch, list), 0644, err);
}

/* A list that is not there is no list. */
static bool list_load(struct phone *phone, const char *name, struct certificates **out,
                      struct err *err)
{
    CLEANUP(mem_free_at) char *path = file_of(NULL, phone, name);
    if (access(path, F_OK) != 0)
        return true;
    return certificates_load(phone, path, out, err);
}

bool phone_authority_set(struct phone *phone, const struct certificates *authority, struct err *err)
{
    if (authority) {
        phone->authority = certificates_new(phone);
        certificates_add_all(phone->authority, authority);
        certificates_add_all(phone->trusted, authority);
        if (phone->directory && !list_save(phone, "authority.pem", authority, err))
            return false;
    }
    return web_start(phone, err);
}

bool phone_patience_set(struct phone *phone, int seconds, struct err *err)
{
    phone->web_options.patience_seconds = seconds;
    return web_start(phone, err);
}

/* ---- state.json ---- */

bool phone_make(void *owner, const char *directory, const struct certificates *authority,
                const struct web_options *options, struct phone **out, struct err *err)
{
    CLEANUP(mem_free_at) struct phone *phone = phone_new(directory, options);
    CLEANUP(mem_free_at) char *ledger = NULL;
    if (directory && mkdir(directory, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", directory, strerror(errno));
    if (directory && !phone_lock(phone, err))
        return false;
    if (directory)
        ledger = file_of(NULL, phone, "ledger.jsonl");
    model_init(phone, &phone->model);
    if (!ledger_open(phone, ledger, &phone->ledger, err) ||
        !phone_authority_set(phone, authority, err) || !phone_save(phone, err))
        return false;
    *out = mem_give(owner, &phone);
    return true;
}

json_t *phone_to_json(const struct phone *phone)
{
    json_t *profiles = json_array(), *object = json_object();
    for (size_t i = 0; i < phone->profile_count; i++)
        json_array_append_new(profiles, json_from(FIELDS(installed_fields), &phone->profiles[i]));
    json_object_set_new(object, "model", model_to_json(&phone->model));
    json_object_set_new(object, "enrolment",
                        json_from(FIELDS(enrolment_fields), &phone->enrolment));
    json_object_set_new(object, "profiles", profiles);
    json_object_set_new(object, "declarative",
                        json_from(FIELDS(declarative_fields), &phone->declarative));
    json_t *declarations = json_array();
    for (size_t i = 0; i < phone->fetched_count; i++)
        json_array_append_new(declarations, json_from(FIELDS(fetched_fields), &phone->fetched[i]));
    json_object_set_new(object, "declarations", declarations);
    json_object_set_new(object, "pending", json_from(FIELDS(pending_fields), &phone->pending));
    return object;
}

bool phone_save(struct phone *phone, struct err *err)
{
    if (!phone->directory)
        return true;
    CLEANUP(json_decref_at) json_t *object = phone_to_json(phone);
    CLEANUP(mem_free_at) char *path = file_of(NULL, phone, "state.json");
    CLEANUP(mem_free_at) char *text = json_text(NULL, object);
    return file_write(path, bytes_text(text), 0600, err);
}

static bool profiles_read(struct phone *phone, const json_t *list, struct err *err)
{
    phone->profile_count = json_array_size(list);
    phone->profiles = mem_array(phone, struct installed, phone->profile_count);
    for (size_t i = 0; i < phone->profile_count; i++)
        if (!json_bind(phone, json_array_get(list, i), FIELDS(installed_fields),
                       &phone->profiles[i], NULL, err))
            return false;
    return true;
}

static bool declarations_read(struct phone *phone, const json_t *object, struct err *err)
{
    const json_t *list = json_object_get(object, "declarations");
    phone->fetched_count = json_array_size(list);
    phone->fetched = mem_array(phone, struct fetched, phone->fetched_count);
    for (size_t i = 0; i < phone->fetched_count; i++)
        if (!json_bind(phone, json_array_get(list, i), FIELDS(fetched_fields), &phone->fetched[i],
                       NULL, err))
            return false;
    return json_bind(phone, json_object_get(object, "declarative"), FIELDS(declarative_fields),
                     &phone->declarative, NULL, err);
}

static bool state_read(struct phone *phone, struct err *err)
{
    static const struct json_limits limits = {.size = STATE_SIZE_MAX, .depth = 8, .nodes = 100000};
    CLEANUP(mem_free_at) char *path = file_of(NULL, phone, "state.json");
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    CLEANUP(json_decref_at) json_t *object = NULL;
    struct bytes content;
    if (!file_read(scratch, path, STATE_SIZE_MAX, &content, err) ||
        !json_parse(content, &limits, &object, err) ||
        !model_from_json(phone, json_object_get(object, "model"), &phone->model, err) ||
        !json_bind(phone, json_object_get(object, "enrolment"), FIELDS(enrolment_fields),
                   &phone->enrolment, NULL, err) ||
        !json_bind(phone, json_object_get(object, "pending"), FIELDS(pending_fields),
                   &phone->pending, NULL, err) ||
        !declarations_read(phone, object, err) ||
        !profiles_read(phone, json_object_get(object, "profiles"), err))
        return err_context(err, "%s", path);
    return true;
}

static bool identity_read(struct phone *phone, struct err *err)
{
    CLEANUP(mem_free_at) char *key = file_of(NULL, phone, "identity.key");
    struct certificates *identity = NULL;
    if (access(key, F_OK) != 0)
        return true;
    if (!key_load(key, &phone->key, err) || !list_load(phone, "identity.pem", &identity, err) ||
        !list_load(phone, "chain.pem", &phone->chain, err))
        return false;
    phone->certificate = identity ? certificates_get(identity, 0) : NULL;
    return phone->certificate ? X509_up_ref(phone->certificate) == 1
                              : err_set(err, ERR_NOT_FOUND, "%s: no identity.pem beside it", key);
}

bool phone_load(void *owner, const char *directory, const struct web_options *options,
                struct phone **out, struct err *err)
{
    CLEANUP(mem_free_at) struct phone *phone = phone_new(directory, options);
    CLEANUP(mem_free_at) char *ledger = file_of(NULL, phone, "ledger.jsonl");
    if (!phone_lock(phone, err) || !state_read(phone, err) || !identity_read(phone, err) ||
        !list_load(phone, "authority.pem", &phone->authority, err) ||
        !list_load(phone, "roots.pem", &phone->roots, err) ||
        !ledger_open(phone, ledger, &phone->ledger, err))
        return false;
    if (!phone_trust_update(phone, err))
        return false;
    *out = mem_give(owner, &phone);
    return true;
}

bool phone_trust_update(struct phone *phone, struct err *err)
{
    struct certificates *trusted = certificates_new(phone), *before = phone->trusted;
    certificates_add_all(trusted, phone->authority);
    certificates_add_all(trusted, phone->roots);
    trust_add_installed(phone, trusted);
    phone->trusted = trusted;
    bool started = web_start(phone, err);
    mem_free(before);
    return started;
}

/* ---- identity ---- */

static bool identity_write(const struct phone *phone, const struct certificates *roots,
                           struct err *err)
{
    CLEANUP(mem_free_at) char *key = file_of(NULL, phone, "identity.key");
    CLEANUP(mem_free_at) struct certificates *own = certificates_new(NULL);
    if (!phone->certificate) {
        (void)unlink(key);
        return list_save(phone, "identity.pem", NULL, err) &&
               list_save(phone, "chain.pem", NULL, err) && list_save(phone, "roots.pem", NULL, err);
    }
    certificates_add(own, phone->certificate);
    return key_save(key, phone->key, err) && list_save(phone, "identity.pem", own, err) &&
           list_save(phone, "chain.pem", phone->chain, err) &&
           list_save(phone, "roots.pem", roots, err);
}

bool phone_identity_set(struct phone *phone, EVP_PKEY *key, X509 *certificate,
                        const struct certificates *chain, const struct certificates *roots,
                        struct err *err)
{
    struct certificates *new_roots = certificates_new(phone);
    struct certificates *new_chain = certificates_new(phone);
    if (key)
        EVP_PKEY_up_ref(key);
    if (certificate)
        X509_up_ref(certificate);
    certificates_add_all(new_chain, chain);
    certificates_add_all(new_roots, roots);
    EVP_PKEY_free(phone->key);
    X509_free(phone->certificate);
    phone->key = key;
    phone->certificate = certificate;
    bool started;
    struct certificates *old_roots = phone->roots, *old_chain = phone->chain;
    phone->roots = new_roots;
    phone->chain = new_chain;
    started = phone_trust_update(phone, err);
    mem_free(old_roots);
    mem_free(old_chain);
    return started && (!phone->directory || identity_write(phone, roots, err));
}

void phone_pending_put(struct phone *phone, const char *uuid, const char *request_type,
                       const char *status, struct bytes body)
{
    phone_pending_drop(phone);
    phone->pending_memory = mem_new(phone, char);
    phone->pending = (struct pending){
        .uuid = mem_text(phone->pending_memory, uuid),
        .request_type = mem_text(phone->pending_memory, request_type),
        .status = mem_text(phone->pending_memory, status),
        .body = base64_encode(phone->pending_memory, body),
    };
}

void phone_pending_drop(struct phone *phone)
{
    phone->pending = (struct pending){0};
    mem_free(phone->pending_memory);
    phone->pending_memory = NULL;
}

bool phone_forget(struct phone *phone, enum phone_status status, struct err *err)
{
    char *push_url = phone->enrolment.push_url;
    ledger_left(phone->ledger, phone->model.udid, status == PHONE_ERASED ? "erased" : "unenrolled");
    phone->enrolment = (struct enrolment){.status = (int)status, .push_url = push_url};
    phone->profile_count = 0;
    phone->declarative = (struct declarative){0};
    phone->fetched_count = 0;
    phone_pending_drop(phone);
    return phone_identity_set(phone, NULL, NULL, NULL, NULL, err) && phone_save(phone, err);
}

/* ---- installed profiles ---- */

bool phone_profile_is_own(const struct phone *phone, const struct installed *profile)
{
    return text_equal(profile->user, phone->user);
}

struct installed *phone_profile_find(struct phone *phone, const char *identifier)
{
    for (size_t i = 0; i < phone->profile_count; i++)
        if (phone_profile_is_own(phone, &phone->profiles[i]) &&
            text_equal(phone->profiles[i].identifier, identifier))
            return &phone->profiles[i];
    return NULL;
}

static void installed_clear(struct installed *installed)
{
    char *const texts[] = {installed->identifier, installed->uuid,  installed->name,
                           installed->signer,     installed->plist, installed->user};
    for (size_t i = 0; i < COUNT(texts); i++)
        mem_free(texts[i]);
}

void phone_profile_put(struct phone *phone, const struct profile *profile, struct bytes content,
                       const char *signer)
{
    struct installed *slot = phone_profile_find(phone, profile->identifier);
    if (!slot) {
        phone->profiles = mem_grow(phone, phone->profiles, phone->profile_count + 1);
        slot = &phone->profiles[phone->profile_count++];
        *slot = (struct installed){0};
    }
    installed_clear(slot);
    *slot = (struct installed){
        .identifier = mem_text(phone, profile->identifier),
        .uuid = mem_text(phone, profile->uuid),
        .name = profile->name ? mem_text(phone, profile->name) : NULL,
        .signer = mem_text(phone, signer),
        .plist = base64_encode(phone, content),
        .user = phone->user ? mem_text(phone, phone->user) : NULL,
    };
}

void phone_profile_drop(struct phone *phone, struct installed *profile)
{
    size_t index = (size_t)(profile - phone->profiles);
    installed_clear(profile);
    memmove(profile, profile + 1, (phone->profile_count - index - 1) * sizeof(*profile));
    phone->profile_count--;
}

bool phone_profile_open(void *owner, const struct installed *installed, struct profile *out,
                        struct err *err)
{
    struct bytes content;
    return base64_decode(owner, bytes_text(installed->plist), STATE_SIZE_MAX, &content, err) &&
           profile_parse(owner, content, out, err);
}

struct passcode_rules phone_passcode_rules(const struct phone *phone)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct passcode_rules rules = PASSCODE_NO_RULES;
    for (size_t i = 0; i < phone->profile_count; i++) {
        struct profile profile;
        struct err ignored; /* it was parsed when it was installed */
        if (!phone_profile_open(scratch, &phone->profiles[i], &profile, &ignored))
            continue;
        const struct plist *content = plist_get(profile.tree, "PayloadContent");
        for (const struct plist *one = content->first; one; one = one->next)
            if (text_equal(plist_text(one, "PayloadType"), PAYLOAD_PASSCODE))
                passcode_rules_add(&rules, one);
    }
    CLEANUP(json_decref_at) json_t *declared = declared_active(phone, DECLARED_PASSCODE);
    for (size_t i = 0; i < json_array_size(declared); i++)
        passcode_rules_declare(&rules, json_array_get(declared, i));
    return phone->enrolment.enrollment_id ? passcode_rules_of_account(&rules) : rules;
}
