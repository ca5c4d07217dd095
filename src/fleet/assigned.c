/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/assigned.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/store.h"

#define DAY (24 * 3600)
static const struct json_limits settings_limits = {65536, 4, 4096};

/* Rules of compliance policies that are no settings of the catalogue. */
static const struct rule_name {
    const char *name;
    enum comply_rule_kind kind;
    json_type type;
    int64_t lowest, highest; /* of integers */
} rule_names[] = {
    {"os.minimum", COMPLY_OS_MINIMUM, JSON_STRING, 0, 0},
    {"os.maximum", COMPLY_OS_MAXIMUM, JSON_STRING, 0, 0},
    {"integrity.attested", COMPLY_INTEGRITY, JSON_TRUE, 0, 0},
    {"contact.max_days", COMPLY_CONTACT_AGE, JSON_INTEGER, 1, 120},
};
#define GRACE "grace.days" /* how long a device may stay in breach before it counts: 0..365 */

static const struct rule_name *rule_find(const char *name)
{
    for (size_t i = 0; i < COUNT(rule_names); i++)
        if (strcmp(rule_names[i].name, name) == 0)
            return &rule_names[i];
    return NULL;
}

/* ---- one value ---- */

static bool number_value(const json_t *json, int64_t lowest, int64_t highest, int64_t *out,
                         struct err *err)
{
    if (!json_is_integer(json))
        return err_set(err, ERR_BAD_INPUT, "a whole number is expected");
    *out = (int64_t)json_integer_value(json);
    if (*out < lowest || *out > highest)
        return err_set(err, ERR_BAD_INPUT, "must be %lld to %lld", (long long)lowest,
                       (long long)highest);
    return true;
}

static bool setting_value(const struct setting *setting, const json_t *json, int64_t *out,
                          struct err *err)
{
    switch (setting->type) {
    case SETTING_BOOLEAN:
        if (!json_is_boolean(json))
            return err_set(err, ERR_BAD_INPUT, "true or false is expected");
        *out = json_is_true(json);
        return true;
    case SETTING_INTEGER:
        if (!json_is_integer(json))
            return err_set(err, ERR_BAD_INPUT, "a whole number is expected");
        *out = (int64_t)json_integer_value(json);
        return setting_check(setting, *out, err);
    case SETTING_ENUM:
        if (!json_is_string(json))
            return err_set(err, ERR_BAD_INPUT, "a choice in quotes is expected");
        return setting_value_parse(setting, json_string_value(json), out, err);
    }
    bug("setting type %d", (int)setting->type);
}

static bool rule_value(const struct rule_name *name, const json_t *json, struct comply_rule *rule,
                       struct err *err)
{
    int order;
    rule->kind = name->kind;
    if (name->type == JSON_INTEGER)
        return number_value(json, name->lowest, name->highest, &rule->value, err);
    if (name->type == JSON_TRUE)
        return json_is_true(json) ||
               err_set(err, ERR_BAD_INPUT, "only true has a meaning; leave it out instead");
    rule->text = json_string_value(json);
    if (!rule->text || !version_compare(rule->text, rule->text, &order))
        return err_set(err, ERR_BAD_INPUT, "a version like \"17.4\" is expected");
    return true;
}

/* ---- one policy ---- */

struct reading { /* where the values of one policy go; NULL lists: only check */
    enum policy_kind kind;
    struct candidate origin;
    int64_t assigned_at, grace_seconds;
    void *owner;
    struct assigned *out;
};

static void candidate_add(const struct reading *r, const struct setting *setting, int64_t value)
{
    struct assigned *out = r->out;
    out->candidates = mem_grow(r->owner, out->candidates, out->candidate_count + 1);
    out->candidates[out->candidate_count] = r->origin;
    out->candidates[out->candidate_count].setting = setting_id_of(setting);
    out->candidates[out->candidate_count++].value = value;
}

static void rule_add(const struct reading *r, struct comply_rule rule)
{
    struct assigned *out = r->out;
    rule.policy_id = r->origin.policy_id;
    rule.policy_name = r->origin.policy_name;
    rule.revision = r->origin.revision;
    rule.grace_seconds = r->grace_seconds;
    rule.assigned_at = r->assigned_at;
    if (rule.text)
        rule.text = mem_text(r->owner, rule.text);
    out->rules = mem_grow(r->owner, out->rules, out->rule_count + 1);
    out->rules[out->rule_count++] = rule;
}

/* What a newer program stored is skipped here, so that the rest of the policy holds; a policy that
 * is being written is refused. */
static bool unknown_read(const struct reading *r, struct err *err)
{
    return r->out || err_set(err, ERR_BAD_INPUT, "unknown setting: see `muster setting list`");
}

static bool setting_read(const struct reading *r, const struct setting *setting, const json_t *json,
                         struct err *err)
{
    int64_t value;
    if (!setting_value(setting, json, &value, err))
        return false;
    if (r->kind == POLICY_COMPLIANCE && setting->compliance == 0)
        return err_set(err, ERR_BAD_INPUT, "no platform reports it: not for compliance policies");
    if (!r->out)
        return true;
    candidate_add(r, setting, value);
    if (r->kind == POLICY_COMPLIANCE)
        rule_add(r, (struct comply_rule){
                        .kind = COMPLY_SETTING, .setting = setting_id_of(setting), .value = value});
    return true;
}

static bool member_read(const struct reading *r, const char *name, const json_t *json,
                        struct err *err)
{
    const struct setting *setting = setting_find(name);
    const struct rule_name *rule_name = rule_find(name);
    struct comply_rule rule = {0};
    int64_t days;
    if (setting)
        return setting_read(r, setting, json, err);
    if (r->kind != POLICY_COMPLIANCE && (rule_name || strcmp(name, GRACE) == 0))
        return err_set(err, ERR_BAD_INPUT, "stands in compliance policies only");
    if (strcmp(name, GRACE) == 0)
        return number_value(json, 0, 365, &days, err);
    if (!rule_name)
        return unknown_read(r, err);
    if (!rule_value(rule_name, json, &rule, err))
        return false;
    if (r->out)
        rule_add(r, rule);
    return true;
}

static bool settings_read(struct reading *r, const json_t *wishes, struct err *err)
{
    const char *name;
    json_t *json;
    if (!json_is_object(wishes))
        return err_at(err, ERR_BAD_INPUT, "/settings", "an object of settings is expected");
    r->grace_seconds = json_integer_value(json_object_get(wishes, GRACE)) * DAY;
    json_object_foreach((json_t *)(uintptr_t)wishes, name, json)
    {
        if (member_read(r, name, json, err))
            continue;
        (void)snprintf(err->where, sizeof(err->where), "/settings/%s", name);
        return text_starts(err->text, name) ? false : err_context(err, "%s", name);
    }
    return true;
}

bool settings_check(const json_t *wishes, enum policy_kind kind, struct err *err)
{
    struct reading reading = {.kind = kind};
    if (!settings_read(&reading, wishes, err))
        return false;
    bool only_grace = json_object_size(wishes) == 1 && json_object_get(wishes, GRACE);
    return !only_grace || err_at(err, ERR_BAD_INPUT, "/settings/" GRACE,
                                 GRACE " alone is no rule: name what must hold");
}

/* ---- everything assigned ---- */

static bool row_read(void *owner, const struct rows *rows, size_t index, struct assigned *out,
                     struct err *err)
{
    CLEANUP(json_decref_at) json_t *wishes = NULL;
    int kind = name_find(policy_kind_names, rows_text(rows, index, "kind"));
    if (kind < 0)
        return err_set(err, ERR_INTERNAL, "a stored policy has an unknown kind");
    struct reading reading = {.kind = (enum policy_kind)kind,
                              .origin = {.policy_id = rows_text(rows, index, "policy_id"),
                                         .policy_name = rows_text(rows, index, "name"),
                                         .revision = rows_integer(rows, index, "revision"),
                                         .kind = (enum policy_kind)kind,
                                         .band = rows_integer(rows, index, "band")},
                              .assigned_at = rows_integer(rows, index, "created_at"),
                              .owner = owner,
                              .out = out};
    return json_parse(bytes_text(rows_text(rows, index, "settings")), &settings_limits, &wishes,
                      err) &&
           settings_read(&reading, wishes, err);
}

bool assigned_load(struct db *tx, void *owner, const char *device_id, struct assigned *out,
                   struct err *err)
{
    struct rows *rows = NULL;
    struct assigned assigned = {0};
    if (!store_rows(tx, owner, ASK(ASSIGNED_REVISIONS, TEXT(device_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        if (!row_read(owner, rows, i, &assigned, err))
            return err_context(err, "reading policy %s", rows_text(rows, i, "name"));
    *out = assigned;
    return true;
}
