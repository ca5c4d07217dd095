/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/status.h"

#include <inttypes.h>

#include "base/text.h"
#include "channel/apple/declarations.h"
#include "codec/json.h"
#include "policy/comply.h"

#define IDENTIFIER_LONGEST 64 /* bytes, of ServerToken too (schema) */
#define VALUE_LONGEST 255     /* bytes of a text that a device reports */
#define REASON_LONGEST 1024
#define REASONS_MOST 3    /* of one declaration; the rest says nothing new */
#define DECLARED_READ 300 /* declarations and errors of one report */

/* ---- facts ---- */

static const struct fact_row {
    const char *item;   /* status item */
    const char *member; /* of its object; NULL: the value itself */
    json_type type;
    const char *fact;
} fact_rows[] = {
    {APPLE_STATUS_SERIAL, NULL, JSON_STRING, "device.serial"},
    {"device.model.identifier", NULL, JSON_STRING, "device.product"},
    {"device.model.marketing-name", NULL, JSON_STRING, "device.marketing_name"},
    {"device.model.number", NULL, JSON_STRING, "device.model_number"},
    {"device.operating-system.build-version", NULL, JSON_STRING, "os.build"},
    {"device.operating-system.supplemental.build-version", NULL, JSON_STRING,
     "os.build_supplemental"},
    {"device.operating-system.supplemental.extra-version", NULL, JSON_STRING, "os.version_extra"},
    {"device.operating-system.version", NULL, JSON_STRING, FACT_OS_VERSION},
    {"device.power.battery-health", NULL, JSON_STRING, "battery.health"},
    {"diskmanagement.filevault.enabled", NULL, JSON_TRUE, FACT_ENCRYPTION_ENABLED},
    {"passcode.is-compliant", NULL, JSON_TRUE, FACT_PASSWORD_COMPLIANT},
    {"passcode.is-present", NULL, JSON_TRUE, FACT_PASSWORD_PRESENT},
    {"softwareupdate.failure-reason", "count", JSON_INTEGER, "update.failure_count"},
    {"softwareupdate.failure-reason", "reason", JSON_STRING, "update.failure_reason"},
    {"softwareupdate.install-state", NULL, JSON_STRING, "update.state"},
    {"softwareupdate.pending-version", "build-version", JSON_STRING, "update.pending_build"},
    {"softwareupdate.pending-version", "os-version", JSON_STRING, "update.pending_version"},
    {"softwareupdate.pending-version", "target-local-date-time", JSON_STRING,
     "update.pending_deadline"},
};

/* The items of the table, each once. */
const char *const apple_status_items[] = {
    APPLE_STATUS_SERIAL,
    "device.model.identifier",
    "device.model.marketing-name",
    "device.model.number",
    "device.operating-system.build-version",
    "device.operating-system.supplemental.build-version",
    "device.operating-system.supplemental.extra-version",
    "device.operating-system.version",
    "device.power.battery-health",
    "diskmanagement.filevault.enabled",
    "passcode.is-compliant",
    "passcode.is-present",
    "softwareupdate.failure-reason",
    "softwareupdate.install-state",
    "softwareupdate.pending-version",
    NULL,
};

/* "a.b.c": the object in the object; NULL when it is not there. */
static const json_t *nested(const json_t *object, const char *path)
{
    char name[64];
    for (const char *at = path; object; at++) {
        size_t size = strcspn(at, ".");
        if (size >= sizeof(name))
            return NULL;
        memcpy(name, at, size);
        name[size] = '\0';
        object = json_object_get(object, name);
        at += size;
        if (*at == '\0')
            break;
    }
    return object;
}

/* NULL: nothing that could be kept. */
static char *value_text(void *owner, const json_t *value, json_type type)
{
    if (type == JSON_TRUE)
        return json_is_boolean(value) ? mem_text(owner, json_is_true(value) ? "true" : "false")
                                      : NULL;
    if (!value || json_typeof(value) != type)
        return NULL;
    if (type == JSON_INTEGER)
        return mem_format(owner, "%" PRId64, (int64_t)json_integer_value(value));
    const char *text = json_string_value(value);
    return *text ? text_begin(owner, text, VALUE_LONGEST) : mem_text(owner, "none");
}

static void facts_read(void *owner, const json_t *items, int64_t now, struct declared_report *out)
{
    struct fact *facts = mem_array(owner, struct fact, COUNT(fact_rows));
    for (size_t i = 0; i < COUNT(fact_rows); i++) {
        const struct fact_row *row = &fact_rows[i];
        const json_t *value = nested(items, row->item);
        char *text =
            value_text(owner, row->member ? json_object_get(value, row->member) : value, row->type);
        if (!text)
            continue;
        facts[out->fact_count++] = (struct fact){.name = mem_text(owner, row->fact),
                                                 .value = text,
                                                 .evidence = EVIDENCE_MEASURED,
                                                 .source = mem_text(owner, row->item),
                                                 .reported_at = now};
    }
    out->facts = facts;
}

/* ---- why something is not as it should ---- */

static const struct reason_row {
    const char *code, *remedy;
} reason_rows[] = {
    {"Error.UnknownDeclarationType", "Update the operating system of the device."},
    {"Error.UnknownStatusItem", "Update the operating system of the device."},
    {"Error.ConfigurationNotSupported", "Update the operating system of the device."},
    {"Error.ConfigurationCannotBeApplied",
     "Look at the details; often one setting does not suit this device."},
    {"Error.ConfigurationAlreadyPresent", "Remove what was installed on the device by hand."},
};

static char *remedy_of(void *owner, const json_t *reasons, const char *key)
{
    for (size_t i = 0; i < json_array_size(reasons); i++)
        for (size_t j = 0; j < COUNT(reason_rows); j++)
            if (text_equal(json_string_value(json_object_get(json_array_get(reasons, i), key)),
                           reason_rows[j].code))
                return mem_text(owner, reason_rows[j].remedy);
    return NULL;
}

struct reason_keys { /* the two places spell them differently */
    const char *code, *description;
};

/* "Error.X: what it says; Error.Y"; NULL: none is told. */
static char *reason_text(void *owner, const json_t *reasons, const struct reason_keys *keys)
{
    char *text = NULL;
    for (size_t i = 0; i < json_array_size(reasons) && i < REASONS_MOST; i++) {
        const json_t *one = json_array_get(reasons, i);
        const char *code = json_string_value(json_object_get(one, keys->code));
        const char *said = json_string_value(json_object_get(one, keys->description));
        if (!code)
            continue;
        char *whole = mem_format(owner, "%s%s%s%s%s", text ? text : "", text ? "; " : "", code,
                                 said ? ": " : "", said ? said : "");
        text = text_begin(owner, whole, REASON_LONGEST);
    }
    return text;
}

/* ---- declarations ---- */

static const struct group {
    const char *name;
    enum declaration_kind kind;
} groups[] = {{"activations", DECLARATION_ACTIVATION},
              {"assets", DECLARATION_ASSET},
              {"configurations", DECLARATION_CONFIGURATION},
              {"management", DECLARATION_MANAGEMENT}};

static const char *short_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && *text && strlen(text) <= IDENTIFIER_LONGEST ? text : NULL;
}

/* False: an entry that says nothing which could be kept. */
static bool declared_read(void *owner, const json_t *entry, enum declaration_kind kind,
                          struct declared *out)
{
    static const struct reason_keys keys = {"code", "description"};
    const char *identifier = short_text(entry, "identifier");
    const char *token = short_text(entry, "server-token");
    const char *valid = json_string_value(json_object_get(entry, "valid"));
    const json_t *reasons = json_object_get(entry, "reasons");
    int validity = valid ? name_find(declaration_validity_names, valid) : -1;
    bool is_removed = json_is_true(json_object_get(entry, "_removed"));
    if (!identifier || (!token && !is_removed))
        return false;
    *out = (struct declared){
        .declaration = {.kind = (int)kind,
                        .identifier = mem_text(owner, identifier),
                        .token = mem_text(owner, token ? token : ""),
                        .is_active = json_is_true(json_object_get(entry, "active")),
                        .validity = validity < 0 ? DECLARATION_UNKNOWN : validity,
                        .reason = reason_text(owner, reasons, &keys),
                        .remedy = remedy_of(owner, reasons, keys.code)},
        .is_removed = is_removed};
    if (kind == DECLARATION_CONFIGURATION)
        out->item = apple_declared_item(out->declaration.identifier);
    return true;
}

static void group_read(void *owner, const json_t *entries, enum declaration_kind kind,
                       struct declared *list, struct declared_report *out)
{
    if (!json_is_array(entries))
        return;
    out->named_kinds |= 1U << kind;
    for (size_t i = 0; i < json_array_size(entries) && out->count < DECLARED_READ; i++)
        if (declared_read(owner, json_array_get(entries, i), kind, &list[out->count]))
            out->count++;
}

/* ---- values that it cannot report, and that it can again ---- */

static struct declared unreported(void *owner, const char *item, bool is_removed)
{
    return (struct declared){.declaration = {.kind = DECLARATION_REPORT,
                                             .identifier = mem_text(owner, item),
                                             .token = mem_text(owner, ""),
                                             .validity = DECLARATION_INVALID},
                             .is_removed = is_removed};
}

static void errors_read(void *owner, const json_t *report, struct declared *list,
                        struct declared_report *out)
{
    static const struct reason_keys keys = {"Code", "Description"};
    const json_t *errors = json_object_get(report, "Errors");
    for (size_t i = 0; i < json_array_size(errors) && out->count < DECLARED_READ; i++) {
        const json_t *error = json_array_get(errors, i);
        const json_t *reasons = json_object_get(error, "Reasons");
        const char *item = short_text(error, "StatusItem");
        if (!item)
            continue;
        struct declared *one = &list[out->count++];
        *one = unreported(owner, item, false);
        one->declaration.reason = reason_text(owner, reasons, &keys);
        one->declaration.remedy = remedy_of(owner, reasons, keys.code);
    }
}

static void recoveries_read(void *owner, const json_t *items, struct declared *list,
                            struct declared_report *out)
{
    for (size_t i = 0; apple_status_items[i] && out->count < DECLARED_READ; i++)
        if (nested(items, apple_status_items[i]))
            list[out->count++] = unreported(owner, apple_status_items[i], true);
}

/* ---- a report ---- */

bool apple_status_parse(void *owner, struct bytes in, int64_t now, struct declared_report *out,
                        struct err *err)
{
    const struct json_limits limits = {STATUS_SIZE_MAX, 16, 50000};
    CLEANUP(json_decref_at) json_t *report = NULL;
    if (!json_parse(in, &limits, &report, err))
        return false;
    const json_t *items = json_object_get(report, "StatusItems");
    if (!json_is_object(items))
        return err_at(err, ERR_BAD_INPUT, "/StatusItems", "must be an object");
    struct declared *list = mem_array(owner, struct declared, DECLARED_READ);
    struct declared_report made = {.is_full = json_is_true(json_object_get(report, "FullReport"))};
    const json_t *declarations = nested(items, "management.declarations");
    const json_t *capabilities = nested(items, "management.client-capabilities");
    for (size_t i = 0; i < COUNT(groups); i++)
        group_read(owner, json_object_get(declarations, groups[i].name), groups[i].kind, list,
                   &made);
    if (made.is_full)
        made.named_kinds |= 1U << DECLARATION_REPORT;
    else
        recoveries_read(owner, items, list, &made);
    errors_read(owner, report, list, &made);
    facts_read(owner, items, now, &made);
    made.capabilities = capabilities ? apple_capabilities_text(owner, capabilities) : NULL;
    made.declared = list;
    *out = made;
    return true;
}
