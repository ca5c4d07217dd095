/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping: one table of what goes when it is over, and the one way in which it goes. */
#include <stdio.h>

#include "fleet/attest.h"
#include "fleet/door.h"
#include "fleet/job.h"
#include "fleet/upkeep.h"
#include "store/store.h"

#define DAY_SECONDS (24 * 3600) /* effective sets that no device has may come again; visits */
#define MORE_MAX 6              /* statements behind the first */

/*
 * Where a row's end is asked for: `find` gives (id, at) by ($1 before, $2 at, $3 id, $4 limit);
 * `first` takes (id, before) and may say no; then `more`, each with the id alone.
 */
struct rule {
    const char *what;
    const struct statement *find, *first, *more[MORE_MAX + 1];
    size_t age; /* offset in struct retention; UNSET: DAY_SECONDS; NONCE: as long as it counts */
};
#define UNSET SIZE_MAX
#define NONCE (SIZE_MAX - 1)
#define KEPT(member) offsetof(struct retention, member)

static const struct rule rules[] = {
    {"events", &SQL_OLD_EVENTS, &SQL_OLD_EVENT_DELETE, {NULL}, KEPT(event_seconds)},
    {"refusals", &SQL_OLD_REFUSALS, &SQL_OLD_REFUSAL_DELETE, {NULL}, KEPT(event_seconds)},
    {"commands", &SQL_OLD_COMMANDS, &SQL_OLD_COMMAND_DELETE, {NULL}, KEPT(command_seconds)},
    {"enrolments",
     &SQL_OLD_ATTEMPTS,
     &SQL_OLD_ATTEMPT_END,
     {&SQL_OLD_ATTEMPT_FACTS_DELETE, &SQL_OLD_ATTEMPT_STEPS_DELETE,
      &SQL_OLD_ATTEMPT_CERTIFICATES_DELETE, &SQL_OLD_ATTEMPT_CHALLENGES_DELETE,
      &SQL_OLD_ATTEMPT_LINK, &SQL_OLD_ATTEMPT_DELETE},
     KEPT(attempt_seconds)},
    {"facts", &SQL_OLD_FACTS, &SQL_OLD_FACTS_DELETE, {NULL}, KEPT(event_seconds)},
    {"links", &SQL_OLD_LINKS, &SQL_OLD_LINK_DELETE, {NULL}, KEPT(attempt_seconds)},
    {"requests",
     &SQL_OLD_REQUESTS,
     &SQL_OLD_REQUEST_HOLD,
     {&SQL_OLD_REQUEST_STEPS_DELETE, &SQL_OLD_REQUEST_DELETE},
     KEPT(attempt_seconds)},
    {"tokens", &SQL_OLD_TOKENS, &SQL_OLD_TOKEN_DELETE, {NULL}, KEPT(token_seconds)},
    {"positions", &SQL_OLD_POSITIONS, &SQL_OLD_POSITION_DELETE, {NULL}, KEPT(position_seconds)},
    {"nonces", &SQL_OLD_ATTESTATION_NONCES, &SQL_OLD_ATTESTATION_NONCE_DELETE, {NULL}, NONCE},
    {"visits", &SQL_OLD_VISITS, &SQL_OLD_VISIT_DELETE, {NULL}, UNSET},
    {"variants", &SQL_OLD_VARIANTS, &SQL_OLD_VARIANT_DELETE, {NULL}, UNSET},
};

size_t fleet_prune_rules(void)
{
    return COUNT(rules);
}

static int64_t kept_seconds(const struct fleet *fleet, const struct rule *rule)
{
    const char *retention = (const char *)&fleet->settings->retention;
    if (rule->age == UNSET)
        return DAY_SECONDS;
    if (rule->age == NONCE)
        return ATTESTATION_NONCE_SECONDS;
    return *(const int64_t *)(const void *)(retention + rule->age);
}

/* ---- one batch ---- */

struct batch {
    const struct rule *rule;
    const struct rows *rows;
    int64_t before, removed;
};

static bool row_remove(struct db *tx, const struct batch *batch, const char *id, int64_t *changed,
                       struct err *err)
{
    const struct rule *rule = batch->rule;
    const struct ask first = {rule->first, ARGS(TEXT(id), INTEGER(batch->before))};
    if (!store_change(tx, first, changed, err))
        return false;
    for (size_t i = 0; *changed > 0 && rule->more[i]; i++) {
        const struct ask more = {rule->more[i], ARGS(TEXT(id))};
        if (!store_change(tx, more, NULL, err))
            return false;
    }
    return true;
}

static bool batch_run(struct db *tx, void *context, struct err *err)
{
    struct batch *batch = context;
    int64_t removed = 0;
    for (size_t i = 0; i < batch->rows->count; i++) {
        int64_t changed = 0;
        if (!row_remove(tx, batch, rows_text(batch->rows, i, "id"), &changed, err))
            return false;
        removed += changed > 0 ? 1 : 0;
    }
    batch->removed = removed;
    return true;
}

static bool batch_remove(struct fleet *fleet, struct batch *batch, struct err *err)
{
    const struct actor actor = fleet_system_actor(batch->before);
    const struct change change = {.actor = &actor, .work = batch_run, .context = batch};
    return fleet_change(fleet, &change, err);
}

/* ---- all of a rule ---- */

/* Rows are found by a reader: the writer is asked only for what goes. */
static bool rule_run(struct fleet *fleet, const struct rule *rule, int64_t before, int64_t *count,
                     struct err *err)
{
    int64_t last_at = INT64_MIN;
    char last_id[80] = "";
    struct err failed;
    bool worked = true;
    for (size_t found = PRUNE_BATCH; found == PRUNE_BATCH && !fleet_job_stopped(fleet->shared);) {
        CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
        struct rows *rows = NULL;
        const struct ask ask = {rule->find, ARGS(INTEGER(before), INTEGER(last_at), TEXT(last_id),
                                                 INTEGER(PRUNE_BATCH))};
        if (!store_rows(fleet->db, owner, ask, &rows, err))
            return false;
        found = rows->count;
        if (found == 0)
            break;
        struct batch batch = {.rule = rule, .rows = rows, .before = before};
        if (!batch_remove(fleet, &batch, &failed)) {
            worked = false;
            if (failed.kind == ERR_UNAVAILABLE)
                break;
        }
        *count += batch.removed;
        last_at = rows_integer(rows, found - 1, "at");
        (void)snprintf(last_id, sizeof(last_id), "%s", rows_text(rows, found - 1, "id"));
    }
    if (!worked)
        *err = failed;
    return worked;
}

bool fleet_prune(struct fleet *fleet, size_t rule, int64_t now, struct pruned *out, struct err *err)
{
    if (rule >= COUNT(rules))
        bug("housekeeping has no rule %zu", rule);
    int64_t seconds = kept_seconds(fleet, &rules[rule]);
    *out = (struct pruned){.what = rules[rule].what};
    return seconds == 0 || rule_run(fleet, &rules[rule], now - seconds, &out->count, err);
}
