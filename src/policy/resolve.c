/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/resolve.h"

#include <inttypes.h>

#include "base/mem.h"

const char *const policy_kind_names[] = {"configuration", "compliance", NULL};
const char *const conflict_mode_names[] = {"strictest", "compliance_first", NULL};
const char *const decision_state_names[] = {"set", "conflict", "not_applicable", NULL};

/* What holds for the whole resolution. */
struct scope {
    void *owner;
    const struct resolve_input *input;
};

/* The candidates of one setting, strongest first. */
struct group {
    const struct setting *setting;
    const struct candidate **items;
    size_t count;
};

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int order_strictness(const struct candidate *a, const struct candidate *b)
{
    bool comparable;
    int stricter = setting_compare(&settings[a->setting], a->value, b->value, &comparable);
    return comparable ? -stricter : 0;
}

/*
 * Strongest first; total, so that the order of the input cannot show: setting, band, kind (only
 * where compliance comes first), strictness, then the tie rule: lowest policy id, newest revision.
 */
static int order_candidates(const void *left, const void *right, void *context)
{
    const struct candidate *a = *(const struct candidate *const *)left;
    const struct candidate *b = *(const struct candidate *const *)right;
    const struct scope *scope = context;
    int kinds = scope->input->mode == CONFLICT_COMPLIANCE_FIRST ? order(b->kind, a->kind) : 0;
    const int steps[] = {
        order(a->setting, b->setting),
        order(a->band, b->band),
        kinds,
        order_strictness(a, b),
        strcmp(a->policy_id, b->policy_id),
        order(b->revision, a->revision),
        order(b->kind, a->kind),
        order(a->value, b->value),
        strcmp(a->policy_name, b->policy_name),
    };
    for (size_t i = 0; i < COUNT(steps); i++)
        if (steps[i] != 0)
            return steps[i];
    return 0;
}

static const char *dropped_reason(const struct scope *scope, const struct candidate *candidate)
{
    struct err err;
    const struct target_device *device = scope->input->device;
    const char *reason =
        device->unsupported ? device->unsupported(candidate->setting, device) : NULL;
    if (reason)
        return reason;
    if (!setting_check(&settings[candidate->setting], candidate->value, &err))
        return mem_text(scope->owner, err.text);
    return NULL;
}

/* Move what does not apply here out of the group into the decision. */
static void drop(const struct scope *scope, struct group *group, struct decision *decision)
{
    size_t kept = 0;
    decision->dropped = mem_array(scope->owner, const struct candidate *, group->count);
    decision->dropped_reasons = mem_array(scope->owner, const char *, group->count);
    for (size_t i = 0; i < group->count; i++) {
        const char *reason = dropped_reason(scope, group->items[i]);
        if (reason) {
            decision->dropped[decision->dropped_count] = group->items[i];
            decision->dropped_reasons[decision->dropped_count++] = reason;
        } else {
            group->items[kept++] = group->items[i];
        }
    }
    group->count = kept;
}

/* How many of the group still compete with its first once band and kind have spoken. */
static size_t rival_count(const struct scope *scope, const struct group *group)
{
    size_t count = 1;
    const struct candidate *first = group->items[0];
    while (count < group->count && group->items[count]->band == first->band &&
           (scope->input->mode != CONFLICT_COMPLIANCE_FIRST ||
            group->items[count]->kind == first->kind))
        count++;
    return count;
}

static bool is_unanimous(const struct candidate *const *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (items[i]->value != items[0]->value)
            return false;
    return true;
}

/* Rule 4: the value that is on the device, where a rival asks for it, else the first. */
static size_t keep_current(const struct scope *scope, const struct group *group, size_t rivals,
                           bool *is_kept)
{
    *is_kept = false;
    for (size_t i = 0; i < scope->input->current_count; i++) {
        if (scope->input->current[i].id != group->items[0]->setting)
            continue;
        for (size_t j = 0; j < rivals; j++) {
            if (group->items[j]->value == scope->input->current[i].value) {
                *is_kept = true;
                return j;
            }
        }
    }
    return 0;
}

static const char *strictness_text(enum setting_rule rule)
{
    switch (rule) {
    case STRICTER_HIGHER: return "strictest: higher wins";
    case STRICTER_LOWER: return "strictest: lower wins";
    case STRICTER_TRUE: return "strictest: true wins";
    case STRICTER_FALSE: return "strictest: false wins";
    case STRICTER_RANK: return "strictest: later in the list wins";
    case STRICTER_CONFLICT: break;
    }
    bug("values that cannot be ranked have no strictest");
}

/* "band 10 before 100", "compliance before configuration", or "": what came before the values. */
static char *precedence_text(const struct scope *scope, const struct group *group, size_t rivals)
{
    const struct candidate *first = group->items[0];
    if (rivals == group->count)
        return mem_text(scope->owner, "");
    if (group->items[rivals]->band == first->band)
        return mem_text(scope->owner, "compliance before configuration");
    return mem_format(scope->owner, "band %" PRId64 " before %" PRId64, first->band,
                      group->items[rivals]->band);
}

static const char *rule_text(const struct scope *scope, const struct group *group, size_t rivals,
                             const char *values)
{
    char *before = precedence_text(scope, group, rivals);
    if (before[0] == '\0')
        return values ? values : group->count == 1 ? "only value" : "same value everywhere";
    return values ? mem_format(scope->owner, "%s, then %s", before, values) : before;
}

static void choose(const struct scope *scope, const struct group *group, struct decision *decision)
{
    size_t winner = 0;
    size_t rivals = rival_count(scope, group);
    const char *values = NULL;
    if (!is_unanimous(group->items, rivals) && group->setting->rule == STRICTER_CONFLICT) {
        bool is_kept;
        winner = keep_current(scope, group, rivals, &is_kept);
        decision->state = DECISION_CONFLICT;
        values = is_kept ? "not comparable: the value on the device stays"
                         : "not comparable: lowest policy id";
    } else if (!is_unanimous(group->items, rivals)) {
        values = strictness_text(group->setting->rule);
    }
    decision->rule = rule_text(scope, group, rivals, values);
    decision->winner = group->items[winner];
    decision->value = decision->winner->value;
    decision->losers = mem_array(scope->owner, const struct candidate *, group->count);
    for (size_t i = 0; i < group->count; i++)
        if (i != winner)
            decision->losers[decision->loser_count++] = group->items[i];
}

/* What a device cannot be told in full is not shown as if it could. */
static void fit(const struct scope *scope, const struct setting *setting, struct decision *decision)
{
    const struct target_device *device = scope->input->device;
    int64_t asked = decision->value;
    if (!device->nearest)
        return;
    decision->value = device->nearest(setting_id_of(setting), device, asked);
    if (decision->value != asked)
        decision->rule =
            mem_format(scope->owner, "%s; the device takes at %s %" PRId64, decision->rule,
                       decision->value < asked ? "most" : "least", decision->value);
}

static void decide(const struct scope *scope, struct group group, struct decision *decision)
{
    decision->setting = setting_id_of(group.setting);
    decision->state = DECISION_SET;
    drop(scope, &group, decision);
    if (group.count > 0) {
        choose(scope, &group, decision);
        fit(scope, group.setting, decision);
        return;
    }
    decision->state = DECISION_NOT_APPLICABLE;
    decision->rule = "nothing applies here";
}

void policy_resolve(void *owner, const struct resolve_input *input, struct resolution *out)
{
    struct scope scope = {owner, input};
    size_t count = input->candidate_count;
    const struct candidate **sorted = mem_array(owner, const struct candidate *, count);
    struct decision *decisions = mem_array(owner, struct decision, SETTING_COUNT);
    size_t decided = 0;
    for (size_t i = 0; i < count; i++) {
        if (input->candidates[i].setting >= SETTING_COUNT)
            bug("a candidate has setting %d", (int)input->candidates[i].setting);
        sorted[i] = &input->candidates[i];
    }
    if (count > 1)
        qsort_r(sorted, count, sizeof(const struct candidate *), order_candidates, &scope);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && sorted[to]->setting == sorted[from]->setting; to++)
            continue;
        const struct group group = {&settings[sorted[from]->setting], sorted + from, to - from};
        decide(&scope, group, &decisions[decided++]);
    }
    *out = (struct resolution){decisions, decided};
}

size_t resolution_values(void *owner, const struct resolution *resolution,
                         const struct setting_value **out)
{
    size_t count = 0;
    struct setting_value *values = mem_array(owner, struct setting_value, resolution->count);
    for (size_t i = 0; i < resolution->count; i++) {
        const struct decision *decision = &resolution->decisions[i];
        if (decision->state != DECISION_NOT_APPLICABLE)
            values[count++] = (struct setting_value){decision->setting, decision->value};
    }
    *out = values;
    return count;
}
