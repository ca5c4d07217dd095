/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/declared.h"

#include "base/text.h"

#define DECLARATIVE_IOS 15 /* the first that know declarations */
#define DECLARATIVE_MACOS 13
#define ACTIVATION "com.apple.activation.simple"
#define SUBSCRIPTIONS "com.apple.configuration.management.status-subscriptions"

const char *const declared_kinds[] = {"activation", "configuration", "asset", "management", NULL};
const char *const declared_groups[] = {"activations", "configurations", "assets", "management",
                                       NULL};

bool declared_known(const struct phone *phone)
{
    int64_t first = model_is_mac(&phone->model) ? DECLARATIVE_MACOS : DECLARATIVE_IOS;
    return phone->model.declarative && model_os_major(&phone->model) >= first;
}

/* ---- types and their keys (apple/device-management, declarative/declarations) ---- */

struct member_rule {
    const char *name;
    json_type type; /* JSON_TRUE: a boolean */
    bool required;
    int64_t lowest, highest; /* integers; unlimited when equal */
    bool is_of_macs;         /* no other device knows it */
};

static const struct member_rule activation_members[] = {
    {"StandardConfigurations", JSON_ARRAY, true, 0, 0},
    {"Predicate", JSON_STRING, false, 0, 0},
};
static const struct member_rule subscription_members[] = {{"StatusItems", JSON_ARRAY, true, 0, 0}};
static const struct member_rule passcode_members[] = {
    {"RequirePasscode", JSON_TRUE, false, 0, 0},
    {"RequireAlphanumericPasscode", JSON_TRUE, false, 0, 0},
    {"RequireComplexPasscode", JSON_TRUE, false, 0, 0},
    {"MinimumLength", JSON_INTEGER, false, 0, 16},
    {"MinimumComplexCharacters", JSON_INTEGER, false, 0, 4},
    {"MaximumFailedAttempts", JSON_INTEGER, false, 2, 11},
    {"MaximumGracePeriodInMinutes", JSON_INTEGER, false, 0, INT32_MAX},
    {"MaximumInactivityInMinutes", JSON_INTEGER, false, 0, 15},
    {"MaximumPasscodeAgeInDays", JSON_INTEGER, false, 0, 730},
    {"PasscodeReuseLimit", JSON_INTEGER, false, 1, 50},
    {"ChangeAtNextAuth", JSON_TRUE, false, 0, 0, .is_of_macs = true},
    {"FailedAttemptsResetInMinutes", JSON_INTEGER, false, 0, INT32_MAX, .is_of_macs = true},
    {"CustomRegex", JSON_OBJECT, false, 0, 0, .is_of_macs = true},
};
static const struct member_rule update_members[] = {
    {"TargetOSVersion", JSON_STRING, true, 0, 0},
    {"TargetBuildVersion", JSON_STRING, false, 0, 0},
    {"TargetLocalDateTime", JSON_STRING, true, 0, 0},
    {"DetailsURL", JSON_STRING, false, 0, 0},
};
static const struct member_rule legacy_members[] = {{"ProfileURL", JSON_STRING, true, 0, 0}};
static const struct member_rule organization_members[] = {
    {"Name", JSON_STRING, true, 0, 0},
    {"Email", JSON_STRING, false, 0, 0},
    {"URL", JSON_STRING, false, 0, 0},
};
static const struct member_rule server_members[] = {
    {"Version", JSON_STRING, true, 0, 0},
    {"SupportedFeatures", JSON_OBJECT, true, 0, 0},
};

#define MEMBERS(table) table, COUNT(table)
static const struct type_rule {
    const char *type, *kind;
    const struct member_rule *members;
    size_t count;
} type_rules[] = {
    {ACTIVATION, "activation", MEMBERS(activation_members)},
    {SUBSCRIPTIONS, "configuration", MEMBERS(subscription_members)},
    {DECLARED_PASSCODE, "configuration", MEMBERS(passcode_members)},
    {DECLARED_UPDATE, "configuration", MEMBERS(update_members)},
    {DECLARED_LEGACY, "configuration", MEMBERS(legacy_members)},
    {"com.apple.management.organization-info", "management", MEMBERS(organization_members)},
    {"com.apple.management.server-capabilities", "management", MEMBERS(server_members)},
};

static const struct type_rule *type_find(const struct phone *phone, const char *type,
                                         const char *kind)
{
    for (size_t i = 0; i < COUNT(type_rules); i++)
        if (text_equal(type_rules[i].type, type) && text_equal(type_rules[i].kind, kind) &&
            !text_equal(phone->model.lacks_declaration, type))
            return &type_rules[i];
    return NULL;
}

static bool member_fits(const json_t *value, const struct member_rule *rule)
{
    if (rule->type == JSON_TRUE)
        return json_is_boolean(value);
    if (!value || json_typeof(value) != rule->type)
        return false;
    return rule->lowest == rule->highest || (json_integer_value(value) >= rule->lowest &&
                                             json_integer_value(value) <= rule->highest);
}

static const struct member_rule *member_find(const struct type_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->count; i++)
        if (text_equal(rule->members[i].name, name))
            return &rule->members[i];
    return NULL;
}

/* The name of the first member that does not fit; NULL: all do. */
static const char *misfit(const struct phone *phone, const json_t *payload,
                          const struct type_rule *rule)
{
    bool is_mac = model_is_mac(&phone->model);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)payload, name, value)
    {
        const struct member_rule *found = member_find(rule, name);
        if (!found || (found->is_of_macs && !is_mac) || !member_fits(value, found))
            return name;
    }
    for (size_t i = 0; i < rule->count; i++)
        if (rule->members[i].required && !json_object_get(payload, rule->members[i].name))
            return rule->members[i].name;
    return NULL;
}

/* ---- states ---- */

struct view { /* one declaration, read */
    const struct fetched *fetched;
    json_t *json;
    const char *code; /* NULL: valid */
    const char *detail;
    bool is_active;
};

struct scene {
    void *owner;
    const struct phone *phone;
    struct view *views;
    size_t count;
};

static void view_judge(const struct scene *scene, struct view *view)
{
    const char *type = json_string_value(json_object_get(view->json, "Type"));
    const struct type_rule *rule = type_find(scene->phone, type, view->fetched->kind);
    const json_t *payload = json_object_get(view->json, "Payload");
    if (!rule) {
        view->code = "Error.UnknownDeclarationType";
        view->detail = type;
    } else if ((view->detail = misfit(scene->phone, payload, rule)) != NULL) {
        view->code = "Error.InvalidPayload";
    } else if (text_equal(scene->phone->model.rejects_declaration, type)) {
        view->code = "Error.ConfigurationCannotBeApplied";
        view->detail = "the simulated phone was told to refuse it";
    } else if (view->fetched->problem) {
        view->code = "Error.ConfigurationCannotBeApplied";
        view->detail = view->fetched->problem;
    }
}

static struct view *view_find(const struct scene *scene, const char *kind, const char *identifier)
{
    for (size_t i = 0; i < scene->count; i++)
        if (text_equal(scene->views[i].fetched->kind, kind) &&
            text_equal(scene->views[i].fetched->identifier, identifier))
            return &scene->views[i];
    return NULL;
}

/* An activation is in force when all that it names is there; then it puts that in force. */
static void activation_judge(const struct scene *scene, struct view *view)
{
    const json_t *names =
        json_object_get(json_object_get(view->json, "Payload"), "StandardConfigurations");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!view_find(scene, "configuration", name)) {
            view->code = "Error.MissingConfigurations";
            view->detail = name;
            return;
        }
    }
    view->is_active = true;
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct view *named =
            view_find(scene, "configuration", json_string_value(json_array_get(names, i)));
        named->is_active = !named->code;
    }
}

static struct scene *scene_make(const struct phone *phone)
{
    static const struct json_limits limits = {.size = 1 << 20, .depth = 16, .nodes = 10000};
    struct scene *scene = mem_new(NULL, struct scene);
    *scene = (struct scene){.owner = scene, .phone = phone};
    scene->views = mem_array(scene, struct view, phone->fetched_count + 1);
    for (size_t i = 0; i < phone->fetched_count; i++) {
        struct view *view = &scene->views[scene->count];
        struct err ignored; /* it was parsed when it was fetched */
        view->fetched = &phone->fetched[i];
        if (json_parse(bytes_text(view->fetched->text), &limits, &view->json, &ignored))
            scene->count++;
    }
    for (size_t i = 0; i < scene->count; i++)
        view_judge(scene, &scene->views[i]);
    for (size_t i = 0; i < scene->count; i++) {
        struct view *view = &scene->views[i];
        if (text_equal(view->fetched->kind, "activation") && !view->code)
            activation_judge(scene, view);
        if (text_equal(view->fetched->kind, "management"))
            view->is_active = !view->code;
    }
    return scene;
}

static void scene_free(struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++)
        json_decref(scene->views[i].json);
    mem_free(scene);
}

static json_t *state_json(const struct view *view)
{
    const char *code = view->code;
    bool is_idle = !code && !view->is_active;
    json_t *json = json_pack("{s:s, s:s, s:b, s:s}", "identifier", view->fetched->identifier,
                             "server-token", view->fetched->token, "active", view->is_active,
                             "valid", code ? "invalid" : "valid");
    if (is_idle)
        code = "Info.NotReferencedByActivation";
    if (code)
        json_object_set_new(
            json, "reasons",
            json_pack("[{s:s, s:s?}]", "code", code, "description", is_idle ? NULL : view->detail));
    return json;
}

json_t *declared_states(const struct phone *phone)
{
    struct scene *scene = scene_make(phone);
    json_t *states = json_object();
    for (size_t i = 0; i < scene->count; i++) {
        const struct fetched *fetched = scene->views[i].fetched;
        CLEANUP(mem_free_at)
        char *name = mem_format(NULL, "%s/%s", fetched->kind, fetched->identifier);
        json_object_set_new(states, name, state_json(&scene->views[i]));
    }
    scene_free(scene);
    return states;
}

json_t *declared_active(const struct phone *phone, const char *type)
{
    struct scene *scene = scene_make(phone);
    json_t *payloads = json_array();
    for (size_t i = 0; i < scene->count; i++) {
        const json_t *json = scene->views[i].json;
        if (scene->views[i].is_active &&
            text_equal(json_string_value(json_object_get(json, "Type")), type))
            json_array_append(payloads, json_object_get(json, "Payload"));
    }
    scene_free(scene);
    return payloads;
}

char *declared_profile_url(void *owner, const struct phone *phone, const struct fetched *one)
{
    struct scene *scene = scene_make(phone);
    char *url = NULL;
    for (size_t i = 0; i < scene->count; i++) {
        const struct view *view = &scene->views[i];
        const json_t *payload = json_object_get(view->json, "Payload");
        if (view->fetched == one && view->is_active &&
            text_equal(json_string_value(json_object_get(view->json, "Type")), DECLARED_LEGACY))
            url = mem_text(owner, json_string_value(json_object_get(payload, "ProfileURL")));
    }
    scene_free(scene);
    return url;
}

/* "18.2" is below "18.10". */
static bool is_below(const char *version, const char *other)
{
    char *end = NULL, *end_of_other = NULL;
    for (bool more = true; more;) {
        long one = strtol(version, &end, 10), two = strtol(other, &end_of_other, 10);
        if (one != two)
            return one < two;
        more = *end == '.' || *end_of_other == '.';
        version = *end == '.' ? end + 1 : "0";
        other = *end_of_other == '.' ? end_of_other + 1 : "0";
    }
    return false;
}

/* Of several the one for the newest version counts. */
json_t *declared_update(const struct phone *phone)
{
    CLEANUP(json_decref_at) json_t *wishes = declared_active(phone, DECLARED_UPDATE);
    const char *best = phone->model.os_version ? phone->model.os_version : "0";
    json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(wishes); i++) {
        json_t *wish = json_array_get(wishes, i);
        const char *version = json_string_value(json_object_get(wish, "TargetOSVersion"));
        if (!is_below(best, version))
            continue;
        best = version;
        found = wish;
    }
    return json_incref(found);
}

/* ---- status ---- */

static json_t *capabilities_value(const struct phone *phone);

static json_t *text_value(const char *text)
{
    return text ? json_string(text) : NULL;
}

static json_t *serial_value(const struct phone *phone)
{
    return text_value(phone->model.serial);
}
static json_t *product_value(const struct phone *phone)
{
    return text_value(phone->model.product);
}
static json_t *number_value(const struct phone *phone)
{
    return text_value(phone->model.model_number);
}
static json_t *version_value(const struct phone *phone)
{
    return text_value(phone->model.os_version);
}
static json_t *build_value(const struct phone *phone)
{
    return text_value(phone->model.os_build);
}
static json_t *present_value(const struct phone *phone)
{
    return json_boolean(phone->model.passcode.present);
}
static json_t *compliant_value(const struct phone *phone)
{
    struct passcode_rules rules = phone_passcode_rules(phone);
    return json_boolean(passcode_complies(&phone->model.passcode, &rules));
}
static json_t *update_value(const struct phone *phone)
{
    CLEANUP(json_decref_at) json_t *wish = declared_update(phone);
    const char *state = wish ? "waiting" : "none";
    return text_value(phone->model.update_state ? phone->model.update_state : state);
}
static json_t *pending_value(const struct phone *phone)
{
    CLEANUP(json_decref_at) json_t *wish = declared_update(phone);
    const char *wanted = json_string_value(json_object_get(wish, "TargetOSVersion"));
    const char *version = phone->model.pending_version ? phone->model.pending_version : wanted;
    return json_pack("{s:s, s:s, s:s*}", "os-version", version ? version : "", "build-version", "",
                     "target-local-date-time",
                     json_string_value(json_object_get(wish, "TargetLocalDateTime")));
}

static const struct value_row {
    const char *name;
    json_t *(*value)(const struct phone *phone);
    bool is_implicit; /* reported without a subscription */
} value_rows[] = {
    {"management.client-capabilities", capabilities_value, true},
    {"device.identifier.serial-number", serial_value, false},
    {"device.model.identifier", product_value, false},
    {"device.model.number", number_value, false},
    {"device.operating-system.version", version_value, false},
    {"device.operating-system.build-version", build_value, false},
    {"passcode.is-present", present_value, false},
    {"passcode.is-compliant", compliant_value, false},
    {"softwareupdate.install-state", update_value, false},
    {"softwareupdate.pending-version", pending_value, false},
};

/* An account-driven enrolment does not tell which phone it is on. */
static bool is_told(const struct phone *phone, const struct value_row *row)
{
    return !phone->enrolment.enrollment_id || row->value != serial_value;
}

static json_t *capabilities_value(const struct phone *phone)
{
    json_t *types = json_object(), *items = json_array();
    for (size_t i = 0; declared_kinds[i]; i++)
        json_object_set_new(types, declared_groups[i], json_array());
    for (size_t i = 0; i < COUNT(type_rules); i++)
        for (size_t j = 0; declared_kinds[j]; j++)
            if (text_equal(declared_kinds[j], type_rules[i].kind) &&
                !text_equal(phone->model.lacks_declaration, type_rules[i].type))
                json_array_append_new(json_object_get(types, declared_groups[j]),
                                      json_string(type_rules[i].type));
    for (size_t i = 0; i < COUNT(value_rows); i++)
        if (is_told(phone, &value_rows[i]))
            json_array_append_new(items, json_string(value_rows[i].name));
    return json_pack("{s:[s], s:{}, s:{s:o, s:o}}", "supported-versions", "1.0.0",
                     "supported-features", "supported-payloads", "declarations", types,
                     "status-items", items);
}

static void error_add(json_t *errors, const char *item)
{
    json_array_append_new(errors, json_pack("{s:s, s:[{s:s}]}", "StatusItem", item, "Reasons",
                                            "Code", "Error.UnknownStatusItem"));
}

static void value_add(const struct phone *phone, json_t *values, const char *name, json_t *errors)
{
    for (size_t i = 0; i < COUNT(value_rows); i++)
        if (text_equal(value_rows[i].name, name) && is_told(phone, &value_rows[i])) {
            json_object_set_new(values, name, value_rows[i].value(phone));
            return;
        }
    error_add(errors, name);
}

json_t *declared_values(const struct phone *phone, json_t *errors)
{
    CLEANUP(json_decref_at) json_t *wishes = declared_active(phone, SUBSCRIPTIONS);
    json_t *values = json_object();
    for (size_t i = 0; i < COUNT(value_rows); i++)
        if (value_rows[i].is_implicit)
            value_add(phone, values, value_rows[i].name, errors);
    for (size_t i = 0; i < json_array_size(wishes); i++) {
        const json_t *items = json_object_get(json_array_get(wishes, i), "StatusItems");
        for (size_t j = 0; j < json_array_size(items); j++) {
            const char *name = json_string_value(json_object_get(json_array_get(items, j), "Name"));
            if (name)
                value_add(phone, values, name, errors);
        }
    }
    return values;
}
