/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/declarations.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "channel/apple/status.h"
#include "pki/digest.h"
#include "policy/version.h"

#define TYPE_ACTIVATION "com.apple.activation.simple"
#define TYPE_ORGANIZATION "com.apple.management.organization-info"
#define TYPE_SERVER "com.apple.management.server-capabilities"
#define TYPE_SUBSCRIPTIONS "com.apple.configuration.management.status-subscriptions"
#define PROTOCOL_VERSION "1.0.0"

/* ---- what a device can ---- */

/* Types that only some devices know; the others belong to the protocol itself. */
static const char *const known_types[] = {TYPE_SUBSCRIPTIONS, APPLE_PASSCODE_TYPE,
                                          APPLE_UPDATE_TYPE, APPLE_LEGACY_TYPE};

static bool array_holds(const json_t *array, const char *name)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (text_equal(json_string_value(json_array_get(array, i)), name))
            return true;
    return false;
}

static void name_add(json_t *names, const json_t *reported, const char *name)
{
    if (array_holds(reported, name) && json_array_append_new(names, json_string(name)) != 0)
        bug("no name");
}

char *apple_capabilities_text(void *owner, const json_t *reported)
{
    const json_t *payloads = json_object_get(reported, "supported-payloads");
    const json_t *types =
        json_object_get(json_object_get(payloads, "declarations"), "configurations");
    CLEANUP(json_decref_at) json_t *names = json_array();
    if (!json_is_object(payloads))
        return NULL;
    for (size_t i = 0; i < COUNT(known_types); i++)
        name_add(names, types, known_types[i]);
    for (size_t i = 0; apple_status_items[i]; i++)
        name_add(names, json_object_get(payloads, "status-items"), apple_status_items[i]);
    return json_canonical(owner, names);
}

bool apple_is_able(const struct effective *effective, const char *name)
{
    const char *text = effective->declarative.capabilities;
    CLEANUP(mem_free_at) char *quoted = mem_format(NULL, "\"%s\"", name);
    return text && strstr(text, quoted); /* a list of names out of our own tables */
}

bool apple_may_declare(const struct effective *effective)
{
    const char *oldest = effective->platform == PLATFORM_MACOS ? "13" : "15";
    const char *version = effective->os_version;
    int order;
    if (effective->declarative.refused_version &&
        text_equal(effective->declarative.refused_version, version))
        return false;
    return effective->declarative.capabilities ||
           (version && version_compare(version, oldest, &order) && order >= 0);
}

/* ---- one declaration ---- */

static char *token_make(void *owner, const json_t *content)
{
    CLEANUP(mem_free_at) char *text = json_canonical(NULL, content);
    uint8_t digest[32];
    digest_sha256(bytes_text(text), digest);
    return id_from_digest(owner, digest);
}

/* Takes payload. */
static struct apple_declaration make(void *owner, enum declaration_kind kind,
                                     const char *identifier, const char *type, json_t *payload)
{
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_set(json, "Type", json_string(type));
    json_set(json, "Identifier", json_string(identifier));
    json_set(json, "Payload", payload);
    struct apple_declaration made = {
        .kind = kind, .identifier = mem_text(owner, identifier), .token = token_make(owner, json)};
    json_set(json, "ServerToken", json_string(made.token));
    made.text = json_text(owner, json);
    return made;
}

struct apple_declaration apple_declaration_make(void *owner, const struct apple_wish *wish)
{
    CLEANUP(mem_free_at)
    char *identifier = mem_format(NULL, APPLE_DECLARED_IDENTIFIER "%s", wish->item);
    struct apple_declaration made =
        make(owner, DECLARATION_CONFIGURATION, identifier, wish->type, json_incref(wish->payload));
    made.item = mem_text(owner, wish->item);
    return made;
}

const char *apple_declared_item(const char *identifier)
{
    size_t size = strlen(APPLE_DECLARED_IDENTIFIER);
    return text_starts(identifier, APPLE_DECLARED_IDENTIFIER APPLE_DECLARED) ? identifier + size
                                                                             : NULL;
}

static struct apple_declaration organization(void *owner, const struct effective *effective)
{
    const char *name = effective->organization;
    json_t *payload = json_object();
    json_set(payload, "Name", json_string(name && *name ? name : "Muster"));
    return make(owner, DECLARATION_MANAGEMENT, APPLE_DECLARED_IDENTIFIER "organization",
                TYPE_ORGANIZATION, payload);
}

static struct apple_declaration server(void *owner)
{
    json_t *payload = json_object();
    json_set(payload, "Version", json_string(PROTOCOL_VERSION));
    json_set(payload, "SupportedFeatures", json_object());
    return make(owner, DECLARATION_MANAGEMENT, APPLE_DECLARED_IDENTIFIER "server", TYPE_SERVER,
                payload);
}

/* Only what the device says it can report: it answers everything else with an error. One that an
 * account enrolled has no serial number for us. */
static bool is_asked(const struct effective *effective, const char *name)
{
    return apple_is_able(effective, name) &&
           !(effective->by_account && text_equal(name, APPLE_STATUS_SERIAL));
}

static bool subscriptions(void *owner, const struct effective *effective,
                          struct apple_declaration *out)
{
    json_t *payload = json_object(), *items = json_array();
    json_set(payload, "StatusItems", items);
    for (size_t i = 0; apple_status_items[i]; i++) {
        json_t *item = json_object();
        json_set(item, "Name", json_string(apple_status_items[i]));
        if (!is_asked(effective, apple_status_items[i]))
            json_decref(item);
        else if (json_array_append_new(items, item) != 0)
            bug("no status item");
    }
    if (json_array_size(items) == 0 || !apple_is_able(effective, TYPE_SUBSCRIPTIONS)) {
        json_decref(payload);
        return false;
    }
    *out = make(owner, DECLARATION_CONFIGURATION, APPLE_DECLARED_IDENTIFIER "status",
                TYPE_SUBSCRIPTIONS, payload);
    return true;
}

/* Without one, a device holds itself to no configuration. */
static struct apple_declaration activation(void *owner, const struct apple_declaration *list,
                                           size_t count)
{
    json_t *payload = json_object(), *names = json_array();
    json_set(payload, "StandardConfigurations", names);
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == DECLARATION_CONFIGURATION &&
            json_array_append_new(names, json_string(list[i].identifier)) != 0)
            bug("no configuration");
    return make(owner, DECLARATION_ACTIVATION, APPLE_DECLARED_IDENTIFIER "activation",
                TYPE_ACTIVATION, payload);
}

/* ---- all of them ---- */

static const char *const group_names[] = {[DECLARATION_ACTIVATION] = "Activations",
                                          [DECLARATION_ASSET] = "Assets",
                                          [DECLARATION_CONFIGURATION] = "Configurations",
                                          [DECLARATION_MANAGEMENT] = "Management"};

/* {"Activations": [{"Identifier", "ServerToken"}], ...}: a group that is empty is there, too. */
static json_t *groups_make(const struct apple_declarations *declarations)
{
    json_t *groups = json_object();
    for (size_t i = 0; i < COUNT(group_names); i++)
        json_set(groups, group_names[i], json_array());
    for (size_t i = 0; i < declarations->count; i++) {
        const struct apple_declaration *one = &declarations->list[i];
        json_t *entry = json_object();
        json_set(entry, "Identifier", json_string(one->identifier));
        json_set(entry, "ServerToken", json_string(one->token));
        if (json_array_append_new(json_object_get(groups, group_names[one->kind]), entry) != 0)
            bug("no declaration");
    }
    return groups;
}

static void declarations_seal(void *owner, struct apple_declarations *declarations)
{
    CLEANUP(json_decref_at) json_t *groups = groups_make(declarations);
    declarations->token = token_make(owner, groups);
}

void apple_declarations_none(void *owner, struct apple_declarations *out)
{
    *out = (struct apple_declarations){0};
    declarations_seal(owner, out);
}

void apple_declarations_make(void *owner, const struct effective *effective,
                             const struct apple_wish *wishes, size_t count,
                             struct apple_declarations *out)
{
    struct apple_declaration *list = mem_array(owner, struct apple_declaration, count + 4);
    size_t at = 0;
    list[at++] = organization(owner, effective);
    list[at++] = server(owner);
    size_t first = at;
    if (subscriptions(owner, effective, &list[at]))
        at++;
    for (size_t i = 0; i < count; i++)
        list[at++] = apple_declaration_make(owner, &wishes[i]);
    if (at > first) {
        list[at] = activation(owner, list, at);
        at++;
    }
    *out = (struct apple_declarations){.list = list, .count = at};
    declarations_seal(owner, out);
}

char *apple_tokens_text(void *owner, const struct apple_declarations *declarations, int64_t at)
{
    CLEANUP(mem_free_at) char *time = time_text(NULL, at);
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_t *tokens = json_object();
    json_set(json, "SyncTokens", tokens);
    json_set(tokens, "DeclarationsToken", json_string(declarations->token));
    json_set(tokens, "Timestamp", json_string(time));
    return json_text(owner, json);
}

char *apple_declaration_items_text(void *owner, const struct apple_declarations *declarations)
{
    CLEANUP(json_decref_at) json_t *json = json_object();
    json_set(json, "Declarations", groups_make(declarations));
    json_set(json, "DeclarationsToken", json_string(declarations->token));
    return json_text(owner, json);
}
