/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/comply.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/judge.h"

#define DAY_SECONDS INT64_C(86400)
#define SPAN_IN_DAYS (7 * DAY_SECONDS) /* shorter ones are told in hours */

const char *const compliance_state_names[] = {
    "not_evaluated", "not_applicable", "compliant", "in_grace_period",
    "unknown",       "non_compliant",  "error",     NULL};

static const char wait_remedy[] =
    "Nothing to do if the device is on-line: it answers at its next contact. Sync it to ask now.";

static int64_t add_capped(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* ---- what the judges share ---- */

static bool is_better(const struct fact *a, const struct fact *b)
{
    if (a->evidence != b->evidence)
        return a->evidence > b->evidence;
    if (a->reported_at != b->reported_at)
        return a->reported_at > b->reported_at;
    return strcmp(a->value, b->value) < 0; /* any rule will do that does not depend on order */
}

const struct fact *judge_fact(struct judging *judging, const char *name)
{
    const struct fact *best = NULL;
    for (size_t i = 0; i < judging->input->fact_count; i++) {
        const struct fact *fact = &judging->input->facts[i];
        if (!fact->value || fact->evidence == EVIDENCE_NONE || !text_equal(fact->name, name))
            continue;
        if (!best || is_better(fact, best))
            best = fact;
    }
    if (best && (!judging->oldest || best->reported_at < judging->oldest->reported_at))
        judging->oldest = best;
    return best;
}

int judge_truth(const struct fact *fact)
{
    if (!fact)
        return -1;
    return text_equal(fact->value, "true") ? 1 : text_equal(fact->value, "false") ? 0 : -1;
}

const char *judge_platform(const struct judging *judging)
{
    switch (judging->input->device->platform) {
    case PLATFORM_IOS: return "iOS";
    case PLATFORM_IPADOS: return "iPadOS";
    case PLATFORM_MACOS: return "macOS";
    case PLATFORM_COUNT: break;
    }
    bug("a device has no platform");
}

static void judge_as(struct judging *judging, enum compliance_state state, const struct fact *fact,
                     const char *reason, const char *remedy)
{
    judging->result->state = state;
    judging->result->evidence = fact;
    judging->result->reason = reason;
    judging->result->remedy = remedy;
}

/* "30 days", "72 hours" */
static char *span_text(void *owner, int64_t seconds)
{
    bool is_long = seconds >= SPAN_IN_DAYS;
    int64_t count = seconds / (is_long ? DAY_SECONDS : 3600);
    return mem_format(owner, "%" PRId64 " %s%s", count, is_long ? "day" : "hour",
                      count == 1 ? "" : "s");
}

static int64_t age_limit(const struct judging *judging)
{
    const struct comply_input *input = judging->input;
    int64_t limit = input->evidence_seconds, shorter = input->integrity_seconds;
    if (judging->rule->kind == COMPLY_INTEGRITY && shorter > 0 && (limit <= 0 || shorter < limit))
        return shorter;
    return limit;
}

/* What the verdict rests on is too old: then it is unknown. Else time alone will make it so. A rule
 * about the last contact has its own limit. */
static bool judge_aged(struct judging *judging, const struct fact *fact)
{
    const struct comply_input *input = judging->input;
    const struct fact *oldest = judging->oldest;
    int64_t limit = age_limit(judging);
    int64_t at = oldest ? oldest->reported_at : input->last_contact_at;
    if (limit <= 0 || at <= 0 || judging->rule->kind == COMPLY_CONTACT_AGE)
        return false;
    int64_t until = add_capped(at, limit);
    if (input->now < until) {
        judging->recheck_at = until;
        return false;
    }
    char *when = time_text(judging->owner, at);
    judge_as(judging, COMPLIANCE_UNKNOWN, oldest ? oldest : fact,
             mem_format(judging->owner, "%s %s, %s ago; it counts for %s.",
                        oldest ? "The evidence is of" : "The last contact was at", when,
                        span_text(judging->owner, input->now - at),
                        span_text(judging->owner, limit)),
             "Switch the device on and connect it to the Internet: it reports by itself.");
    return true;
}

void judge_met(struct judging *judging, const struct fact *fact, const char *reason)
{
    if (judging->input->is_shut_out)
        judge_as(judging, COMPLIANCE_UNKNOWN, fact,
                 "The device is shut out, its certificate was revoked: it cannot report any more.",
                 "Enrol it again by a link for it (muster enrol link --device NAME).");
    else if (judge_aged(judging, fact))
        return;
    else if (fact && fact->evidence < EVIDENCE_MEASURED)
        judge_as(judging, COMPLIANCE_UNKNOWN, fact,
                 mem_format(judging->owner, "Not measured, only %s: %s",
                            evidence_names[fact->evidence], reason),
                 wait_remedy);
    else
        judge_as(judging, COMPLIANCE_COMPLIANT, fact, reason, NULL);
}

void judge_broken(struct judging *judging, const struct fact *fact, const char *reason,
                  const char *remedy)
{
    judge_as(judging, COMPLIANCE_NON_COMPLIANT, fact, reason, remedy);
}

void judge_unknown(struct judging *judging, const struct fact *fact, const char *reason)
{
    judge_as(judging, COMPLIANCE_UNKNOWN, fact, reason, wait_remedy);
}

void judge_unknown_with(struct judging *judging, const struct fact *fact, const char *reason,
                        const char *remedy)
{
    judge_as(judging, COMPLIANCE_UNKNOWN, fact, reason, remedy);
}

void judge_not_applicable(struct judging *judging, const char *reason)
{
    judging->result->actual = "not applicable";
    judge_as(judging, COMPLIANCE_NOT_APPLICABLE, NULL, reason, NULL);
}

void judge_error(struct judging *judging, const char *reason)
{
    judge_as(judging, COMPLIANCE_ERROR, NULL, reason, "Correct the rule in the policy.");
}

/* ---- rules that are not settings ---- */

/* A version that its build contradicts speaks against a device, but not for it. */
static void judge_version_met(struct judging *judging, const struct fact *fact)
{
    const struct comply_input *input = judging->input;
    const char *contradiction =
        integrity_contradiction(judging->owner, input->facts, input->fact_count);
    if (contradiction)
        judge_unknown_with(judging, fact, contradiction,
                           "Look at the device itself: what it reports cannot be relied on.");
    else
        judge_met(judging, fact,
                  mem_format(judging->owner, "The device runs %s %s.", judge_platform(judging),
                             fact->value));
}

static void judge_version(struct judging *judging)
{
    int compared;
    void *owner = judging->owner;
    const char *limit = judging->rule->text;
    const char *label = judge_platform(judging);
    bool is_minimum = judging->rule->kind == COMPLY_OS_MINIMUM;
    const struct fact *fact = judge_fact(judging, FACT_OS_VERSION);
    judging->result->expected =
        mem_format(owner, "at %s %s", is_minimum ? "least" : "most", limit ? limit : "");
    if (!version_compare(limit, limit, &compared)) {
        judge_error(judging, "The policy names no version of the form 17.4.1.");
        return;
    }
    if (!fact) {
        judge_unknown(judging, fact, "The device has not reported its version.");
        return;
    }
    judging->result->actual = mem_format(owner, "%s %s", label, fact->value);
    if (!version_compare(fact->value, limit, &compared))
        judge_unknown(judging, fact, "The device reports a version that is not understood.");
    else if (is_minimum ? compared >= 0 : compared <= 0)
        judge_version_met(judging, fact);
    else if (is_minimum)
        judge_broken(judging, fact,
                     mem_format(owner, "The device runs %s %s; the policy asks for at least %s.",
                                label, fact->value, limit),
                     mem_format(owner, "Update the device to %s %s or later.", label, limit));
    else
        judge_broken(judging, fact,
                     mem_format(owner, "The device runs %s %s; the policy allows at most %s.",
                                label, fact->value, limit),
                     "Ask the administrator: this version is not allowed yet.");
}

static void judge_contact(struct judging *judging)
{
    int64_t limit_seconds, until;
    int64_t days = judging->rule->value;
    const struct comply_input *input = judging->input;
    judging->result->expected =
        mem_format(judging->owner, "in contact within %" PRId64 " days", days);
    if (days <= 0) {
        judge_error(judging, "The policy names no number of days.");
        return;
    }
    if (input->last_contact_at <= 0) {
        judging->result->actual = "never in contact";
        judge_unknown(judging, NULL, "The device has never been in contact.");
        return;
    }
    char *at = time_text(judging->owner, input->last_contact_at);
    judging->result->actual = mem_format(judging->owner, "last contact %s", at);
    if (__builtin_mul_overflow(days, DAY_SECONDS, &limit_seconds))
        limit_seconds = INT64_MAX;
    until = add_capped(input->last_contact_at, limit_seconds);
    if (input->now < until) {
        judging->recheck_at = until;
        judge_met(judging, NULL, mem_format(judging->owner, "The last contact was at %s.", at));
        return;
    }
    judge_broken(judging, NULL,
                 mem_format(judging->owner,
                            "The last contact was at %s, %" PRId64
                            " days ago; the policy allows fewer than %" PRId64 ".",
                            at, (input->now - input->last_contact_at) / DAY_SECONDS, days),
                 "Switch the device on and connect it to the Internet.");
}

static const struct rule_kind {
    const char *name; /* NULL: the name of the setting */
    void (*judge)(struct judging *judging);
} rule_kinds[] = {
    [COMPLY_SETTING] = {NULL, judge_setting},
    [COMPLY_OS_MINIMUM] = {"os.minimum", judge_version},
    [COMPLY_OS_MAXIMUM] = {"os.maximum", judge_version},
    [COMPLY_INTEGRITY] = {"integrity.attested", judge_integrity},
    [COMPLY_CONTACT_AGE] = {"contact.max_days", judge_contact},
};

/* ---- states over time ---- */

static const struct comply_previous *previous_of(const struct comply_input *input,
                                                 const struct comply_result *result)
{
    for (size_t i = 0; i < input->previous_count; i++)
        if (text_equal(input->previous[i].policy_id, result->rule->policy_id) &&
            text_equal(input->previous[i].name, result->name))
            return &input->previous[i];
    return NULL;
}

static bool is_failure(enum compliance_state state)
{
    return state == COMPLIANCE_NON_COMPLIANT || state == COMPLIANCE_IN_GRACE_PERIOD;
}

/* since, and the grace period: it runs from the beginning of the failure, at the earliest from the
 * assignment, so that a policy assigned anew grants it anew. */
static void date_result(const struct comply_input *input, struct comply_result *result)
{
    const struct comply_previous *previous = previous_of(input, result);
    bool is_failing = is_failure(result->state);
    bool is_same = previous && (previous->state == result->state ||
                                (is_failing && is_failure(previous->state)));
    result->since = is_same && previous->since < input->now ? previous->since : input->now;
    if (!is_failing)
        return;
    if (result->since < result->rule->assigned_at && result->rule->assigned_at <= input->now)
        result->since = result->rule->assigned_at;
    if (result->rule->grace_seconds <= 0)
        return;
    result->grace_until = add_capped(result->since, result->rule->grace_seconds);
    if (input->now < result->grace_until)
        result->state = COMPLIANCE_IN_GRACE_PERIOD;
}

static void note_recheck(struct compliance *compliance, int64_t now, int64_t at)
{
    if (at > now && (compliance->recheck_at == 0 || at < compliance->recheck_at))
        compliance->recheck_at = at;
}

void policy_comply(void *owner, const struct comply_input *input, struct compliance *out)
{
    struct comply_result *results = mem_array(owner, struct comply_result, input->rule_count);
    struct compliance compliance = {.state = COMPLIANCE_NOT_EVALUATED, .results = results};
    for (; compliance.count < input->rule_count; compliance.count++) {
        const struct comply_rule *rule = &input->rules[compliance.count];
        const struct rule_kind *kind = &rule_kinds[rule->kind];
        struct comply_result *result = &results[compliance.count];
        struct judging judging = {.owner = owner, .input = input, .rule = rule, .result = result};
        result->rule = rule;
        result->name = kind->name ? kind->name : settings[rule->setting].name;
        result->actual = "not reported";
        kind->judge(&judging);
        date_result(input, result);
        note_recheck(&compliance, input->now, judging.recheck_at);
        note_recheck(&compliance, input->now, result->grace_until);
        if (result->state > compliance.state)
            compliance.state = result->state;
    }
    *out = compliance;
}
