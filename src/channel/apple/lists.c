/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/lists.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/json.h"
#include "pki/certificate.h"
#include "pki/digest.h"

/* apple/device-management, mdm/commands: what becomes a detail, and under which name. */
struct detail_row {
    const char *key, *name;
};
static const struct detail_row app_details[] = {
    {"BundleSize", "size_bytes"},
    {"IsValidated", "is_validated"},
    {"Installing", "is_installing"},
    {"AppStoreVendable", "is_from_store"},
    {"DeviceBasedVPP", "is_licensed_to_device"},
    {"AdHocCodeSigned", "is_ad_hoc_signed"},
    {"BetaApp", "is_beta"},
    {"HasUpdateAvailable", "has_update"},
    {"ExternalVersionIdentifier", "store_version"},
    {"DistributorIdentifier", "distributor"},
    {"Source", "source"},
};
static const struct detail_row managed_details[] = {
    {"ManagementFlags", "management_flags"}, {"HasConfiguration", "has_configuration"},
    {"HasFeedback", "has_feedback"},         {"IsValidated", "is_validated"},
    {"UnusedRedemptionCode", "has_code"},    {"ExternalVersionIdentifier", "store_version"},
};
static const struct detail_row profile_details[] = {
    {"PayloadUUID", "uuid"},
    {"PayloadOrganization", "organization"},
    {"PayloadDescription", "description"},
    {"PayloadRemovalDisallowed", "is_removal_disallowed"},
    {"IsEncrypted", "is_encrypted"},
    {"HasRemovalPasscode", "has_removal_passcode"},
    {"Source", "source"},
};

static json_t *value_json(void *owner, const struct plist *value)
{
    switch (value->type) {
    case PLIST_TEXT: return json_string(text_begin(owner, value->text, INVENTORY_TEXT_LONGEST));
    case PLIST_INTEGER: return json_integer((json_int_t)value->integer);
    case PLIST_BOOLEAN: return json_boolean(value->integer != 0);
    case PLIST_REAL:
    case PLIST_DATE:
    case PLIST_DATA:
    case PLIST_DICT:
    case PLIST_ARRAY: return NULL;
    }
    return NULL;
}

static json_t *details(void *owner, const struct plist *entry, const struct detail_row *rows,
                       size_t count)
{
    json_t *json = json_object();
    for (size_t i = 0; i < count; i++) {
        const struct plist *value = plist_get(entry, rows[i].key);
        json_t *told = value ? value_json(owner, value) : NULL;
        if (told)
            json_set(json, rows[i].name, told);
    }
    return json;
}
#define DETAILS(owner, entry, rows) details(owner, entry, rows, COUNT(rows))

static char *text_of(void *owner, const struct plist *entry, const char *key)
{
    const char *text = plist_text(entry, key);
    return text && *text ? text_begin(owner, text, INVENTORY_TEXT_LONGEST) : NULL;
}

static char *detail_text(void *owner, json_t *json)
{
    CLEANUP(json_decref_at) json_t *held = json;
    char *text = json_canonical(owner, held);
    return strlen(text) <= INVENTORY_DETAIL_LONGEST ? text : mem_text(owner, "{}");
}

/* An app without an identifier (some on a Mac) is known by its name. */
static bool app_read(void *owner, const struct plist *entry, struct thing *out)
{
    char *name = text_of(owner, entry, "Name");
    const char *identifier = text_of(owner, entry, "Identifier");
    const char *shown = text_of(owner, entry, "ShortVersion");
    if (!identifier)
        identifier = name;
    if (!identifier)
        return false;
    json_t *more = DETAILS(owner, entry, app_details);
    char *build = text_of(owner, entry, "Version");
    if (build)
        json_set(more, "build", json_string(build));
    out->identifier = text_begin(owner, identifier, INVENTORY_IDENTIFIER_LONGEST);
    out->name = name ? name : out->identifier;
    out->version = shown ? mem_text(owner, shown) : build;
    out->detail = detail_text(owner, more);
    return true;
}

static bool managed_read(void *owner, const struct plist *entry, struct thing *out)
{
    if (!entry->key || !*entry->key)
        return false;
    out->identifier = text_begin(owner, entry->key, INVENTORY_IDENTIFIER_LONGEST);
    out->name = out->identifier;
    out->state = text_of(owner, entry, "Status");
    out->detail = detail_text(owner, DETAILS(owner, entry, managed_details));
    return true;
}

static bool certificate_read(void *owner, const struct plist *entry, struct thing *out)
{
    const struct plist *data = plist_get(entry, "Data");
    bool is_identity = false;
    struct certificate certificate;
    struct err ignored; /* what cannot be read is listed all the same */
    if (!data || data->type != PLIST_DATA || data->data.size == 0)
        return false;
    json_t *more = json_object();
    char *name = text_of(owner, entry, "CommonName");
    out->identifier = digest_sha256_hex(owner, data->data);
    if (plist_boolean(entry, "IsIdentity", &is_identity))
        json_set(more, "is_identity", json_boolean(is_identity));
    if (certificate_parse(owner, data->data, &certificate, &ignored)) {
        out->expires_at = certificate.not_after;
        json_set(more, "serial", json_string(certificate.serial));
        json_set(more, "is_authority", json_boolean(certificate.is_authority));
        json_set(more, "not_before", json_string(time_text(owner, certificate.not_before)));
    }
    out->name = name ? name : out->identifier;
    out->state = is_identity ? mem_text(owner, "identity") : NULL;
    out->detail = detail_text(owner, more);
    return true;
}

static json_t *payload_types(void *owner, const struct plist *entry)
{
    json_t *types = json_array();
    const struct plist *content = plist_get(entry, "PayloadContent");
    const struct plist *one = content && content->type == PLIST_ARRAY ? content->first : NULL;
    for (; one && json_array_size(types) < 20; one = one->next) {
        char *type = one->type == PLIST_DICT ? text_of(owner, one, "PayloadType") : NULL;
        json_t *text = type ? json_string(type) : NULL;
        if (text && json_array_append_new(types, text) != 0)
            bug("no payload types");
    }
    return types;
}

static bool profile_read(void *owner, const struct plist *entry, struct thing *out)
{
    const char *identifier = plist_text(entry, "PayloadIdentifier");
    bool is_managed = false;
    int64_t version = 0;
    if (!identifier || !*identifier)
        return false;
    char *name = text_of(owner, entry, "PayloadDisplayName");
    json_t *more = DETAILS(owner, entry, profile_details);
    json_set(more, "payloads", payload_types(owner, entry));
    out->identifier = text_begin(owner, identifier, INVENTORY_IDENTIFIER_LONGEST);
    out->name = name ? name : out->identifier;
    if (plist_integer(entry, "PayloadVersion", &version))
        out->version = mem_format(owner, "%" PRId64, version);
    if (plist_boolean(entry, "IsManaged", &is_managed))
        out->state = mem_text(owner, is_managed ? INVENTORY_MANAGED : "manual");
    out->detail = detail_text(owner, more);
    return true;
}

static const struct list_row {
    const char *key;
    enum plist_type type;
    enum inventory_kind kind;
    bool (*read)(void *owner, const struct plist *entry, struct thing *out);
} list_rows[] = {
    {"InstalledApplicationList", PLIST_ARRAY, INVENTORY_APP, app_read},
    {"ManagedApplicationList", PLIST_DICT, INVENTORY_MANAGED_APP, managed_read},
    {"CertificateList", PLIST_ARRAY, INVENTORY_CERTIFICATE, certificate_read},
    {"ProfileList", PLIST_ARRAY, INVENTORY_PROFILE, profile_read},
};

static int by_identifier(const void *a, const void *b)
{
    const struct thing *one = a, *other = b;
    int order = strcmp(one->identifier, other->identifier);
    return order ? order : strcmp(one->detail, other->detail);
}

/* Two with one identifier (a Mac may have an app twice) are told apart by a number. */
static void identifiers_part(void *owner, struct thing *things, size_t count)
{
    const char *base = "";
    size_t copies = 1;
    if (count > 0)
        qsort(things, count, sizeof(*things), by_identifier);
    for (size_t i = 0; i < count; i++) {
        copies = text_equal(things[i].identifier, base) ? copies + 1 : 1;
        base = copies == 1 ? things[i].identifier : base;
        if (copies > 1)
            things[i].identifier = mem_format(owner, "%s#%zu", base, copies);
    }
}

bool apple_list_read(void *owner, const struct plist *answer, struct reported_list *out)
{
    const struct list_row *row = list_rows;
    const struct plist *list = NULL;
    for (; row < list_rows + COUNT(list_rows); row++) {
        list = plist_get(answer, row->key);
        if (list && list->type == row->type)
            break;
    }
    if (row == list_rows + COUNT(list_rows))
        return false;
    size_t most = list->count < INVENTORY_THINGS_MAX ? list->count : INVENTORY_THINGS_MAX;
    struct thing *things = mem_array(owner, struct thing, most + 1);
    struct reported_list told = {.kind = row->kind, .things = things};
    for (const struct plist *entry = list->first; entry; entry = entry->next) {
        struct thing thing = {0};
        if (entry->type != PLIST_DICT || !row->read(owner, entry, &thing))
            continue;
        told.is_cut = told.count == most;
        if (told.is_cut)
            break;
        things[told.count++] = thing;
    }
    identifiers_part(owner, things, told.count);
    *out = told;
    return true;
}

void apple_app_keys_add(struct plist *items)
{
    static const char *const keys[] = {"Identifier", "Name", "Version", "ShortVersion"};
    for (size_t i = 0; i < COUNT(keys); i++)
        plist_set_text(items, NULL, keys[i]);
    for (size_t i = 0; i < COUNT(app_details); i++)
        plist_set_text(items, NULL, app_details[i].key);
}
