/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/assigned.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/rule.h"
#include "store/store.h"

#define DAY (24 * 3600)
static const struct json_limits settings_limits = {65536, 4, 4096};

/* ---- one value ---- */

static const char *const quoted_names[] = {
    [SETTING_ENUM] = "a choice",
    [SETTING_VERSION] = "a version like 18.2.1",
    [SETTING_TIME] = "a time like 2026-01-31T20:00:00",
};

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
    case SETTING_VERSION:
    case SETTING_TIME:
        if (!json_is_string(json))
            return err_set(err, ERR_BAD_INPUT, "%s in quotes is expected",
                           quoted_names[setting->type]);
        return setting_value_parse(setting, json_string_value(json), out, err);
    }
    bug("setting type %d", (int)setting->type);
}

/* What it says goes to *number or *text. */
static bool rule_value(const struct rule *rule, const json_t *json, int64_t *number,
                       const char **text, struct err *err)
{
    switch (rule->type) {
    case RULE_VERSION: *text = json_string_value(json); return rule_check_version(*text, err);
    case RULE_TRUE:
        return json_is_true(json) ||
               err_set(err, ERR_BAD_INPUT, "only true has a meaning; leave it out instead");
    case RULE_BOOLEAN:
        *number = json_is_true(json);
        return json_is_boolean(json) || err_set(err, ERR_BAD_INPUT, "true or false is expected");
    case RULE_INTEGER:
        *number = (int64_t)json_integer_value(json);
        return json_is_integer(json) ? rule_check_integer(rule, *number, err)
                                     : err_set(err, ERR_BAD_INPUT, "a whole number is expected");
    }
    bug("rule type %d", (int)rule->type);
}

/* ---- one policy ---- */

struct reading { /* where the values of one policy go; NULL lists: only check */
    enum policy_kind kind;
    struct candidate origin;
    int64_t assigned_at, grace_seconds;
    bool is_measured_only; /* its settings are judged, not sent */
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
    if (!r->is_measured_only)
        candidate_add(r, setting, value);
    if (r->kind == POLICY_COMPLIANCE)
        rule_add(r, (struct comply_rule){
                        .kind = COMPLY_SETTING, .setting = setting_id_of(setting), .value = value});
    return true;
}

/* A rule, or what says how rules are judged: that was read before all others. */
static bool rule_read(const struct reading *r, const struct rule *rule, const json_t *json,
                      struct err *err)
{
    struct comply_rule judged = {.kind = rule->kind};
    if (r->kind != POLICY_COMPLIANCE)
        return err_set(err, ERR_BAD_INPUT, "stands in compliance policies only");
    if (!rule_value(rule, json, &judged.value, &judged.text, err))
        return false;
    if (r->out && rule->is_condition)
        rule_add(r, judged);
    return true;
}

/* What a device can make nothing of without the other. */
static const struct {
    enum setting_id one, other;
} pairs[] = {
    {SETTING_SYSTEM_UPDATE_VERSION, SETTING_SYSTEM_UPDATE_BY},
    {SETTING_SYSTEM_UPDATE_BY, SETTING_SYSTEM_UPDATE_VERSION},
};

static bool pairs_check(const json_t *wishes, struct err *err)
{
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const char *one = settings[pairs[i].one].name, *other = settings[pairs[i].other].name;
        if (json_object_get(wishes, one) && !json_object_get(wishes, other)) {
            (void)err_set(err, ERR_BAD_INPUT, "%s goes with %s: give both", one, other);
            (void)snprintf(err->where, sizeof(err->where), "/settings/%s", one);
            return false;
        }
    }
    return true;
}

static bool member_read(const struct reading *r, const char *name, const json_t *json,
                        struct err *err)
{
    const struct setting *setting = setting_find(name);
    const struct rule *rule = rule_find(name);
    if (setting)
        return setting_read(r, setting, json, err);
    return rule ? rule_read(r, rule, json, err) : unknown_read(r, err);
}

static bool settings_read(struct reading *r, const json_t *wishes, struct err *err)
{
    const char *name;
    json_t *json;
    if (!json_is_object(wishes))
        return err_at(err, ERR_BAD_INPUT, "/settings", "an object of settings is expected");
    r->grace_seconds = json_integer_value(json_object_get(wishes, RULE_GRACE)) * DAY;
    r->is_measured_only = json_is_false(json_object_get(wishes, RULE_APPLY));
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
    if (!settings_read(&reading, wishes, err) || !pairs_check(wishes, err))
        return false;
    bool has_condition = json_object_size(wishes) == 0;
    const char *name, *last = "";
    json_t *json;
    json_object_foreach((json_t *)(uintptr_t)wishes, name, json)
    {
        const struct rule *rule = rule_find(name);
        has_condition = has_condition || !rule || rule->is_condition;
        last = name;
    }
    if (has_condition)
        return true;
    (void)err_at(err, ERR_BAD_INPUT, "/settings", "%s alone is no rule: name what must hold", last);
    (void)snprintf(err->where, sizeof(err->where), "/settings/%s", last);
    return false;
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
