/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/explain.h"

#include "base/clock.h"
#include "codec/json.h"

static const struct json_limits record_limits = {1 << 20, 8, 65536};

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t at)
{
    if (at == 0)
        return json_null();
    CLEANUP(mem_free_at) char *text = time_text(NULL, at);
    return json_string(text);
}

/* ---- resolution ---- */

static json_t *candidate_json(const struct candidate *c)
{
    CLEANUP(mem_free_at) char *value = setting_value_text(NULL, &settings[c->setting], c->value);
    json_t *json =
        json_pack("{s:s, s:s, s:I, s:s, s:I, s:s}", "policy", c->policy_id, "name", c->policy_name,
                  "revision", (json_int_t)c->revision, "kind", policy_kind_names[c->kind], "band",
                  (json_int_t)c->band, "value", value);
    if (!json)
        bug("no candidate");
    return json;
}

static json_t *losers_json(const struct decision *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->loser_count; i++)
        if (json_array_append_new(list, candidate_json(d->losers[i])) != 0)
            bug("no losers");
    return list;
}

static json_t *dropped_json(const struct decision *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->dropped_count; i++) {
        json_t *candidate = candidate_json(d->dropped[i]);
        json_set(candidate, "reason", text_or_null(d->dropped_reasons[i]));
        if (json_array_append_new(list, candidate) != 0)
            bug("no dropped");
    }
    return list;
}

static json_t *decision_json(const struct decision *d)
{
    const struct setting *setting = &settings[d->setting];
    bool is_set = d->state != DECISION_NOT_APPLICABLE;
    CLEANUP(mem_free_at) char *value = setting_value_text(NULL, setting, is_set ? d->value : 0);
    json_t *json = json_object();
    json_set(json, "setting", json_string(setting->name));
    json_set(json, "title", text_or_null(setting->title));
    json_set(json, "state", json_string(decision_state_names[d->state]));
    json_set(json, "value", is_set ? json_string(value) : json_null());
    json_set(json, "rule", text_or_null(d->rule));
    json_set(json, "winner", d->winner ? candidate_json(d->winner) : json_null());
    json_set(json, "losers", losers_json(d));
    json_set(json, "dropped", dropped_json(d));
    return json;
}

char *decisions_json(void *owner, const struct resolution *resolution)
{
    CLEANUP(json_decref_at) json_t *list = json_array();
    for (size_t i = 0; i < resolution->count; i++)
        if (json_array_append_new(list, decision_json(&resolution->decisions[i])) != 0)
            bug("no decisions");
    return json_text(owner, list);
}

/* ---- compliance ---- */

static json_t *evidence_json(const struct fact *fact)
{
    if (!fact)
        return json_null();
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "fact", fact->name, "value", fact->value,
                             "evidence", evidence_names[fact->evidence], "source", fact->source);
    if (!json)
        bug("no evidence");
    json_set(json, "reported_at", time_or_null(fact->reported_at));
    return json;
}

static json_t *result_json(const struct comply_result *r)
{
    json_t *json = json_object();
    json_set(json, "name", json_string(r->name));
    json_set(json, "state", json_string(compliance_state_names[r->state]));
    json_set(json, "expected", text_or_null(r->expected));
    json_set(json, "actual", text_or_null(r->actual));
    json_set(json, "reason", text_or_null(r->reason));
    json_set(json, "remedy", text_or_null(r->remedy));
    json_set(json, "policy", json_string(r->rule->policy_id));
    json_set(json, "policy_name", json_string(r->rule->policy_name));
    json_set(json, "revision", json_integer((json_int_t)r->rule->revision));
    json_set(json, "since", time_or_null(r->since));
    json_set(json, "grace_until", time_or_null(r->grace_until));
    json_set(json, "evidence", evidence_json(r->evidence));
    return json;
}

char *compliance_json(void *owner, const struct compliance *compliance)
{
    CLEANUP(json_decref_at) json_t *list = json_array();
    for (size_t i = 0; i < compliance->count; i++)
        if (json_array_append_new(list, result_json(&compliance->results[i])) != 0)
            bug("no results");
    return json_text(owner, list);
}

static bool previous_read(void *owner, const json_t *json, struct comply_previous *out,
                          struct err *err)
{
    const char *policy = json_string_value(json_object_get(json, "policy"));
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *state = json_string_value(json_object_get(json, "state"));
    const char *since = json_string_value(json_object_get(json, "since"));
    int index = state ? name_find(compliance_state_names, state) : -1;
    if (!policy || !name || index < 0)
        return err_set(err, ERR_INTERNAL, "a stored compliance record cannot be read");
    out->policy_id = mem_text(owner, policy);
    out->name = mem_text(owner, name);
    out->state = (enum compliance_state)index;
    return !since || time_parse(since, &out->since, err);
}

bool compliance_previous(void *owner, const char *text, struct comply_previous **out, size_t *count,
                         struct err *err)
{
    CLEANUP(json_decref_at) json_t *list = NULL;
    if (!json_parse(bytes_text(text), &record_limits, &list, err))
        return false;
    size_t size = json_array_size(list);
    struct comply_previous *previous = mem_array(owner, struct comply_previous, size + 1);
    for (size_t i = 0; i < size; i++)
        if (!previous_read(owner, json_array_get(list, i), &previous[i], err))
            return false;
    *out = previous;
    *count = size;
    return true;
}
