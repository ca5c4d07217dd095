/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/profile.h"

#include <openssl/err.h>

#include "base/text.h"
#include "sim/signed.h"

#define PAYLOADS_MAX 200

static const struct plist_limits profile_limits = {
    .size = PROFILE_SIZE_MAX, .depth = 32, .nodes = 50000};

static const struct plist *payloads(const struct profile *profile)
{
    const struct plist *content = plist_get(profile->tree, "PayloadContent");
    return content ? content->first : NULL;
}

/* A device that meets one identifier or UUID twice refuses the profile. */
static bool unique_check(const struct profile *profile, struct err *err)
{
    static const char *const keys[] = {"PayloadIdentifier", "PayloadUUID"};
    for (const struct plist *a = payloads(profile); a; a = a->next)
        for (const struct plist *b = a->next; b; b = b->next)
            for (size_t i = 0; i < COUNT(keys); i++)
                if (text_equal_nocase(plist_text(a, keys[i]), plist_text(b, keys[i])))
                    return err_at(err, ERR_BAD_INPUT, keys[i], "two payloads have one %s", keys[i]);
    return true;
}

bool profile_parse(void *owner, struct bytes plist, struct profile *out, struct err *err)
{
    struct plist *tree = NULL;
    if (!plist_parse(owner, plist, &profile_limits, &tree, err) || !profile_top_check(tree, err))
        return false;
    struct profile profile = {.identifier = plist_text(tree, "PayloadIdentifier"),
                              .uuid = plist_text(tree, "PayloadUUID"),
                              .name = plist_text(tree, "PayloadDisplayName"),
                              .tree = tree};
    size_t count = 0;
    for (const struct plist *payload = payloads(&profile); payload; payload = payload->next) {
        if (++count > PAYLOADS_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d payloads", PAYLOADS_MAX);
        if (!payload_check(payload, err))
            return false;
    }
    if (!unique_check(&profile, err))
        return false;
    *out = profile;
    return true;
}

const struct plist *profile_payload(const struct profile *profile, const char *type)
{
    for (const struct plist *payload = payloads(profile); payload; payload = payload->next)
        if (text_equal(plist_text(payload, "PayloadType"), type))
            return payload;
    return NULL;
}

bool profile_has_capability(const struct plist *mdm, const char *name)
{
    const struct plist *list = plist_get(mdm, "ServerCapabilities");
    for (const struct plist *one = list && list->type == PLIST_ARRAY ? list->first : NULL; one;
         one = one->next)
        if (one->type == PLIST_TEXT && text_equal(one->text, name))
            return true;
    return false;
}

static bool is_certificate(const char *type)
{
    return text_equal(type, PAYLOAD_ROOT) || text_equal(type, PAYLOAD_PKCS1) ||
           text_equal(type, PAYLOAD_PEM);
}

/* The payload's certificate, DER or PEM as the type says; roots are those signed by themselves. */
static bool certificate_take(const struct plist *payload, struct certificates *roots,
                             struct err *err)
{
    const struct plist *content = plist_get(payload, "PayloadContent");
    if (text_equal(plist_text(payload, "PayloadType"), PAYLOAD_PEM)) {
        CLEANUP(mem_free_at) struct certificates *found = NULL;
        if (!certificates_parse(NULL, content->data, &found, err))
            return false;
        certificates_add_all(roots, found);
        return true;
    }
    CLEANUP(X509_free_at) X509 *one = NULL;
    if (!certificate_parse_der(content->data, &one, err))
        return err_context(err, "a certificate payload");
    certificates_add(roots, one);
    return true;
}

static bool part_take(const struct plist *payload, struct enrolment_profile *parts,
                      const struct plist **identity, struct err *err)
{
    const char *type = plist_text(payload, "PayloadType");
    const struct plist **slot = text_equal(type, PAYLOAD_MDM)    ? &parts->mdm
                                : text_equal(type, PAYLOAD_SCEP) ? identity
                                                                 : NULL;
    if (is_certificate(type))
        return certificate_take(payload, parts->roots, err);
    if (!slot)
        return err_set(err, ERR_BAD_INPUT, "an enrolment profile does not carry %s", type);
    if (*slot)
        return err_set(err, ERR_BAD_INPUT, "an enrolment profile with two payloads %s", type);
    *slot = payload;
    return true;
}

bool enrolment_profile_parse(void *owner, struct bytes plist, struct enrolment_profile *out,
                             struct err *err)
{
    struct enrolment_profile parts = {.roots = certificates_new(owner)};
    const struct plist *identity = NULL;
    if (!profile_parse(owner, plist, &parts.profile, err))
        return false;
    for (const struct plist *one = payloads(&parts.profile); one; one = one->next)
        if (!part_take(one, &parts, &identity, err))
            return false;
    if (!parts.mdm || !identity)
        return err_set(err, ERR_BAD_INPUT, "an enrolment profile needs %s and %s", PAYLOAD_MDM,
                       PAYLOAD_SCEP);
    if (!text_equal_nocase(plist_text(parts.mdm, "IdentityCertificateUUID"),
                           plist_text(identity, "PayloadUUID")))
        return err_at(err, ERR_BAD_INPUT, "IdentityCertificateUUID",
                      "IdentityCertificateUUID names no payload of this profile");
    parts.scep = plist_get(identity, "PayloadContent");
    *out = parts;
    return true;
}

/* ---- what the SCEP payload asks ---- */

static int asked_free(struct scep_asked *asked)
{
    X509_NAME_free(asked->wish.subject);
    GENERAL_NAMES_free(asked->wish.alternatives);
    return 0;
}

/* Subject: an array of RDNs, each an array of [type, value]. */
static bool subject_make(const struct plist *subject, X509_NAME *name, struct err *err)
{
    for (const struct plist *rdn = subject ? subject->first : NULL; rdn; rdn = rdn->next) {
        if (rdn->type != PLIST_ARRAY || rdn->count == 0)
            return err_at(err, ERR_BAD_INPUT, "Subject", "an RDN of Subject is not an array");
        for (const struct plist *pair = rdn->first; pair; pair = pair->next) {
            bool pair_ok = pair->type == PLIST_ARRAY && pair->count == 2 &&
                           pair->first->type == PLIST_TEXT && pair->last->type == PLIST_TEXT;
            /* 0: a new RDN, -1: one more value in the last one (X509_NAME_add_entry) */
            if (!pair_ok || X509_NAME_add_entry_by_txt(name, pair->first->text, MBSTRING_UTF8,
                                                       (const unsigned char *)pair->last->text, -1,
                                                       -1, pair == rdn->first ? 0 : -1) != 1)
                return openssl_failed(err, ERR_BAD_INPUT, "the payload's Subject");
        }
    }
    return true;
}

static bool name_add(GENERAL_NAMES *names, int type, const char *text)
{
    GENERAL_NAME *name = mem_must(GENERAL_NAME_new());
    ASN1_STRING *value =
        type == GEN_OTHERNAME ? mem_must(ASN1_UTF8STRING_new()) : mem_must(ASN1_IA5STRING_new());
    bool done = ASN1_STRING_set(value, text, -1) == 1;
    if (type == GEN_OTHERNAME) { /* userPrincipalName, 1.3.6.1.4.1.311.20.2.3 */
        ASN1_TYPE *typed = mem_must(ASN1_TYPE_new());
        ASN1_TYPE_set(typed, V_ASN1_UTF8STRING, value);
        done = done && GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), typed) == 1;
    } else {
        GENERAL_NAME_set0_value(name, type, value);
    }
    return done && sk_GENERAL_NAME_push(names, name) > 0;
}

static bool names_add(GENERAL_NAMES *names, int type, const struct plist *value, struct err *err)
{
    const struct plist *one = value->type == PLIST_ARRAY ? value->first : value;
    for (; one; one = value->type == PLIST_ARRAY ? one->next : NULL)
        if (one->type != PLIST_TEXT || !name_add(names, type, one->text))
            return err_at(err, ERR_BAD_INPUT, value->key, "a name in SubjectAltName is no text");
    return true;
}

static bool alternatives_make(const struct plist *wanted, GENERAL_NAMES **out, struct err *err)
{
    static const struct {
        const char *key;
        int type;
    } kinds[] = {{"rfc822Name", GEN_EMAIL},
                 {"dNSName", GEN_DNS},
                 {"uniformResourceIdentifier", GEN_URI},
                 {"ntPrincipalName", GEN_OTHERNAME}};
    CLEANUP(GENERAL_NAMES_free_at) GENERAL_NAMES *names = mem_must(GENERAL_NAMES_new());
    size_t known = 0;
    for (size_t i = 0; wanted && i < COUNT(kinds); i++) {
        const struct plist *value = plist_get(wanted, kinds[i].key);
        known += value ? 1 : 0;
        if (value && !names_add(names, kinds[i].type, value, err))
            return false;
    }
    if (wanted && known != wanted->count)
        return err_at(err, ERR_BAD_INPUT, "SubjectAltName", "SubjectAltName has an unknown key");
    if (sk_GENERAL_NAME_num(names) > 0) {
        *out = names;
        names = NULL;
    }
    return true;
}

bool scep_asked_make(void *owner, const struct plist *scep, struct scep_asked **out,
                     struct err *err)
{
    CLEANUP(mem_free_at) struct scep_asked *asked = mem_new(NULL, struct scep_asked);
    const struct plist *fingerprint = plist_get(scep, "CAFingerprint");
    int64_t usage = 5, size = 0;
    mem_destructor(asked, asked_free);
    asked->wish.subject = mem_must(X509_NAME_new());
    asked->wish.challenge = plist_text(scep, "Challenge");
    asked->service = (struct scep_service){
        .url = plist_text(scep, "URL"),
        .name = plist_text(scep, "Name"),
        .fingerprint = fingerprint ? fingerprint->data : NO_BYTES,
        .retries = 3, /* Apple's defaults */
        .retry_delay = 10,
    };
    (void)plist_integer(scep, "Retries", &asked->service.retries);
    (void)plist_integer(scep, "RetryDelay", &asked->service.retry_delay);
    (void)plist_integer(scep, "Key Usage", &usage);
    (void)plist_integer(scep, "Keysize", &size);
    asked->wish.key_usage = (unsigned)usage;
    asked->key_size = (unsigned)size;
    if (!subject_make(plist_get(scep, "Subject"), asked->wish.subject, err) ||
        !alternatives_make(plist_get(scep, "SubjectAltName"), &asked->wish.alternatives, err))
        return false;
    *out = mem_give(owner, &asked);
    return true;
}
