/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/profile.h"

#include "base/id.h"
#include "base/mem.h"
#include "channel/apple/items.h"
#include "pki/authorities.h"
#include "pki/digest.h"

/* Apple: MDM payload, AccessRights. All that there are: an update of the profile may not add one.
 */
#define ACCESS_RIGHTS_ALL 8191
#define ACCESS_RIGHT_NETWORK 32 /* phone numbers, SIM cards, addresses of the radios */
#define SCEP_RETRIES 3
#define SCEP_RETRY_SECONDS 10

int64_t apple_access_rights(int ownership)
{
    return ownership == OWNERSHIP_PERSONAL ? ACCESS_RIGHTS_ALL & ~ACCESS_RIGHT_NETWORK
                                           : ACCESS_RIGHTS_ALL;
}

char *apple_uuid(void *owner, const char *name)
{
    uint8_t digest[32];
    digest_sha256(bytes_text(name), digest);
    return id_from_digest(owner, digest);
}

/* The four keys that every profile and payload has. */
static void payload_head(struct plist *payload, const char *type, const char *identifier,
                         const char *uuid)
{
    plist_set_text(payload, "PayloadType", type);
    plist_set_integer(payload, "PayloadVersion", 1);
    plist_set_text(payload, "PayloadIdentifier", identifier);
    plist_set_text(payload, "PayloadUUID", uuid);
}

/* One payload of the enrolment profile: "org.muster.enrolment.<name>". */
static struct plist *part_add(struct plist *content, const struct apple_enrolment *enrolment,
                              const char *name, const char *type)
{
    CLEANUP(mem_free_at)
    char *identifier = mem_format(NULL, APPLE_ENROLMENT_IDENTIFIER ".%s", name);
    CLEANUP(mem_free_at)
    char *seed = mem_format(NULL, "%s %s", enrolment->start->enrolment_id, name);
    CLEANUP(mem_free_at) char *uuid = apple_uuid(NULL, seed);
    struct plist *part = plist_set_dict(content, NULL);
    payload_head(part, type, identifier, uuid);
    return part;
}

/* A payload keeps its identifiers while it is the same certificate. */
static void certificate_add(struct plist *content, const struct apple_enrolment *enrolment,
                            const struct authority *authority, bool is_root)
{
    const char *word = is_root ? "root" : "issuing";
    CLEANUP(mem_free_at)
    char *later = mem_format(NULL, "%s-%lld", word, (long long)authority->number);
    struct plist *part = part_add(content, enrolment, authority->number == 1 ? word : later,
                                  is_root ? "com.apple.security.root" : "com.apple.security.pkcs1");
    plist_set_text(part, "PayloadDisplayName",
                   is_root ? "Root certificate" : "Issuing certificate");
    plist_set_data(part, "PayloadContent", is_root ? authority->root : authority->issuing);
}

/* The roots are the anchors of our TLS servers too: they are certified by the same authorities. */
static void certificates_add(struct plist *content, const struct apple_enrolment *enrolment)
{
    const struct authorities *all = enrolment->authorities;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].role != AUTHORITY_RETIRED)
            certificate_add(content, enrolment, &all->list[i], true);
    certificate_add(content, enrolment, authority_of_role(all, AUTHORITY_CURRENT), false);
}

/* X.501 name as com.apple.security.scep wants it: an array of RDNs, each an array of pairs. */
static void name_part_add(struct plist *subject, const char *attribute, const char *value)
{
    struct plist *pair = plist_set_array(plist_set_array(subject, NULL), NULL);
    plist_set_text(pair, NULL, attribute);
    plist_set_text(pair, NULL, value);
}

static void identity_add(struct plist *content, const struct apple_enrolment *enrolment)
{
    const struct enrolment_start *start = enrolment->start;
    struct plist *part = part_add(content, enrolment, "identity", "com.apple.security.scep");
    plist_set_text(part, "PayloadDisplayName", "Identity of this device");
    struct plist *scep = plist_set_dict(part, "PayloadContent");
    plist_set_text(scep, "URL", enrolment->scep_url);
    plist_set_text(scep, "Name", enrolment->scep_name);
    struct plist *subject = plist_set_array(scep, "Subject");
    if (start->organization)
        name_part_add(subject, "O", start->organization);
    name_part_add(subject, "CN", start->common_name);
    if (start->san_uri) {
        struct plist *san = plist_set_dict(scep, "SubjectAltName");
        plist_set_text(san, "uniformResourceIdentifier", start->san_uri);
    }
    plist_set_text(scep, "Challenge", start->challenge);
    plist_set_integer(scep, "Keysize", start->key_bits);
    plist_set_text(scep, "Key Type", "RSA");
    plist_set_integer(scep, "Key Usage", start->key_usage);
    plist_set_integer(scep, "Retries", SCEP_RETRIES);
    plist_set_integer(scep, "RetryDelay", SCEP_RETRY_SECONDS);
    /* SCEP runs in the clear: the fingerprint is what tells the device whom it asks. */
    uint8_t digest[32];
    digest_sha256(authority_of_role(enrolment->authorities, AUTHORITY_CURRENT)->issuing, digest);
    plist_set_data(scep, "CAFingerprint", BYTES_OF(digest));
}

/* What this server can do beyond the least. An enrolment for an account reaches no users and has no
 * volume of its own to open. */
static void capabilities_add(struct plist *part, const struct apple_enrolment *enrolment)
{
    if (enrolment->start->mode == MODE_ACCOUNT)
        return;
    struct plist *list = plist_set_array(part, "ServerCapabilities");
    plist_set_text(list, NULL, "com.apple.mdm.bootstraptoken");
    if (enrolment->start->takes_users) /* an update may neither add nor remove it */
        plist_set_text(list, NULL, "com.apple.mdm.per-user-connections");
}

static void management_add(struct plist *content, const struct apple_enrolment *enrolment,
                           const char *identity_uuid)
{
    struct plist *part = part_add(content, enrolment, "mdm", "com.apple.mdm");
    plist_set_text(part, "PayloadDisplayName", "Management");
    plist_set_text(part, "IdentityCertificateUUID", identity_uuid);
    plist_set_text(part, "Topic", enrolment->topic);
    plist_set_text(part, "ServerURL", enrolment->connect_url);
    plist_set_text(part, "CheckInURL", enrolment->checkin_url);
    if (enrolment->start->mode == MODE_ACCOUNT) { /* rights and this mode exclude each other */
        plist_set_text(part, "EnrollmentMode", "BYOD");
        plist_set_text(part, "AssignedManagedAppleID", enrolment->start->apple_account);
    } else
        plist_set_integer(part, "AccessRights", apple_access_rights(enrolment->start->ownership));
    capabilities_add(part, enrolment);
    plist_set_boolean(part, "CheckOutWhenRemoved", true);
    plist_set_boolean(part, "SignMessage", enrolment->sign_messages);
}

bool apple_enrolment_render(void *owner, const struct apple_enrolment *enrolment, struct bytes *out,
                            struct err *err)
{
    const char *id = enrolment->start->enrolment_id;
    CLEANUP(mem_free_at) struct plist *profile = plist_new_dict(NULL);
    CLEANUP(mem_free_at) char *uuid = apple_uuid(NULL, id);
    payload_head(profile, "Configuration", APPLE_ENROLMENT_IDENTIFIER, uuid);
    plist_set_text(profile, "PayloadDisplayName", "Device management");
    plist_set_text(profile, "PayloadDescription",
                   "Connects this device with the management of your organisation.");
    if (enrolment->start->organization)
        plist_set_text(profile, "PayloadOrganization", enrolment->start->organization);
    plist_set_text(profile, "PayloadScope", "System");
    struct plist *content = plist_set_array(profile, "PayloadContent");
    certificates_add(content, enrolment);
    identity_add(content, enrolment);
    management_add(content, enrolment, plist_text(content->last, "PayloadUUID"));
    return plist_render(owner, profile, APPLE_PROFILE_SIZE_MAX, out, err);
}
