/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/integrity.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"

#define HOUR_SECONDS 3600

const char *const integrity_state_names[] = {"unknown",  "claimed",     "attested",
                                             "weakened", "compromised", NULL};

static const struct field rows[] = {
    ENUM_FIELD(struct integrity, state, FIELD_READ_ONLY, integrity_state_names,
               .help = "How far the device can be believed"),
    TEXT_FIELD(struct integrity, reason, FIELD_READ_ONLY, .help = "Why"),
    TEXT_FIELD(struct integrity, source, FIELD_READ_ONLY,
               .help = "What it rests on; null: nothing"),
    TIME_FIELD(struct integrity, reported_at, FIELD_READ_ONLY, .help = "When that was reported"),
    TIME_FIELD(struct integrity, counts_until, FIELD_READ_ONLY,
               .help = "When it is unknown, if nothing is reported until then"),
};
const struct fields integrity_fields = FIELDS(rows);

/* The best of that name. */
static const struct fact *find(const struct fact *facts, size_t count, const char *name)
{
    const struct fact *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = &facts[i];
        if (!fact->value || fact->evidence == EVIDENCE_NONE || !text_equal(fact->name, name))
            continue;
        if (!best || fact->evidence > best->evidence ||
            (fact->evidence == best->evidence && fact->reported_at > best->reported_at))
            best = fact;
    }
    return best;
}

static bool says(const struct fact *fact, const char *value)
{
    return fact && text_equal(fact->value, value);
}

char *integrity_contradiction(void *owner, const struct fact *facts, size_t count)
{
    const struct fact *version = find(facts, count, "os.version");
    const struct fact *build = find(facts, count, FACT_OS_BUILD);
    if (!says(find(facts, count, FACT_OS_PLAUSIBLE), "false"))
        return NULL;
    return mem_format(owner,
                      "The device reports the version %s with the build %s, which does not belong "
                      "to it: one of the two is not true.",
                      version ? version->value : "?", build ? build->value : "?");
}

/* ---- */

struct weighing {
    void *owner;
    const struct fact *state, *reason, *plausible;
    int64_t limit_seconds, now;
};

static bool is_young(const struct weighing *w, const struct fact *fact)
{
    return w->limit_seconds <= 0 || w->now - fact->reported_at < w->limit_seconds;
}

static struct integrity rests_on(const struct weighing *w, const struct fact *fact,
                                 enum integrity_state state, const char *reason)
{
    bool ages = state == INTEGRITY_ATTESTED || state == INTEGRITY_CLAIMED;
    return (struct integrity){
        .state = (int)state,
        .reason = mem_text(w->owner, reason),
        .source = fact && fact->source ? mem_text(w->owner, fact->source) : NULL,
        .reported_at = fact ? fact->reported_at : 0,
        .counts_until =
            fact && ages && w->limit_seconds > 0 ? fact->reported_at + w->limit_seconds : 0};
}

static const char *told_or(const struct weighing *w, const char *sentence)
{
    return w->reason ? w->reason->value : sentence;
}

/* Its own word, and why nothing better is there. */
static struct integrity claimed(const struct weighing *w, const struct fact *fact)
{
    const char *because = says(w->state, "unanswered") && w->reason ? w->reason->value : "";
    return rests_on(w, fact, INTEGRITY_CLAIMED,
                    mem_format(w->owner, "The word of the device alone stands for it.%s%s",
                               *because ? " " : "", because));
}

static struct integrity unknown(const struct weighing *w)
{
    const struct fact *fact = w->state ? w->state : w->plausible;
    if (!fact)
        return rests_on(w, NULL, INTEGRITY_UNKNOWN, "Nothing was reported that speaks for it.");
    if (is_young(w, fact))
        return rests_on(w, fact, INTEGRITY_UNKNOWN,
                        told_or(w, "What was reported proves nothing."));
    return rests_on(w, fact, INTEGRITY_UNKNOWN,
                    mem_format(w->owner,
                               "The evidence is too old: it counts for %" PRId64 " hours.",
                               w->limit_seconds / HOUR_SECONDS));
}

void policy_integrity(void *owner, const struct fact *facts, size_t count, int64_t limit_seconds,
                      int64_t now, struct integrity *out)
{
    const struct weighing w = {.owner = owner,
                               .state = find(facts, count, FACT_INTEGRITY),
                               .reason = find(facts, count, FACT_INTEGRITY_REASON),
                               .plausible = find(facts, count, FACT_OS_PLAUSIBLE),
                               .limit_seconds = limit_seconds,
                               .now = now};
    const char *contradiction = integrity_contradiction(owner, facts, count);
    bool is_intact = says(w.state, "intact") && is_young(&w, w.state);
    bool is_unproven = says(w.state, "unproven") && is_young(&w, w.state);
    if (says(w.state, "compromised"))
        *out = rests_on(&w, w.state, INTEGRITY_COMPROMISED,
                        told_or(&w, mem_format(owner, "The device is reported as compromised (%s).",
                                               evidence_names[w.state->evidence])));
    else if (says(w.state, "weakened"))
        *out =
            rests_on(&w, w.state, INTEGRITY_WEAKENED, told_or(&w, "It is reported as weakened."));
    else if (contradiction)
        *out = rests_on(&w, w.plausible, INTEGRITY_UNKNOWN, contradiction);
    else if (is_intact && w.state->evidence >= EVIDENCE_ATTESTED)
        *out = rests_on(&w, w.state, INTEGRITY_ATTESTED,
                        told_or(&w, "The hardware of the device attests that it is intact."));
    else if (is_intact)
        *out = claimed(&w, w.state);
    else if (says(w.plausible, "true") && is_young(&w, w.plausible) && !is_unproven)
        *out = claimed(&w, w.plausible);
    else
        *out = unknown(&w);
}
