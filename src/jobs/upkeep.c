/* SPDX-License-Identifier: Apache-2.0 */
/* The small ones: what was kept in memory, positions, signatures, verdicts that time changes. */
#include "fleet/upkeep.h"

#include <stdio.h>

#include "base/log.h"
#include "fleet/audit.h"
#include "fleet/certificate.h"
#include "fleet/enrol.h"
#include "fleet/inventory.h"
#include "fleet/policy.h"
#include "fleet/renew.h"
#include "jobs/runner.h"

#define EVALUATE_BATCH 200                  /* devices */
#define HOLD_BATCH 100                      /* commands */
#define DEPARTURE_BATCH 100                 /* devices */
#define REQUEST_BATCH 100                   /* of certificates */
#define RENEWAL_BATCH 50                    /* identities of one transaction */
#define REVOCATION_LIST_SECONDS (24 * 3600) /* a new list at least this often */

bool job_contacts(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    (void)now, (void)busy;
    return fleet_contacts_flush(context->fleet, err);
}

bool job_number(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    return fleet_number(context->fleet, now, busy, err);
}

bool job_audit_sign(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    (void)busy;
    return fleet_audit_sign(context->fleet, now, err);
}

bool job_evaluate(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    size_t count = 0;
    if (!fleet_evaluate_due(context->fleet, now, EVALUATE_BATCH, &count, err))
        return false;
    *busy = count == EVALUATE_BATCH;
    return true;
}

/* What ends by time: each part is done, also where one before it failed. */
bool job_expire(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    struct fleet *fleet = context->fleet;
    size_t held = 0, closed = 0, ended = 0, ending = 0;
    bool worked = fleet_commands_expire(fleet, now, err);
    worked = fleet_commands_hold(fleet, now, HOLD_BATCH, &held, err) && worked;
    worked = fleet_departures_close(fleet, now, DEPARTURE_BATCH, &closed, err) && worked;
    worked = fleet_requests_expire(fleet, now, REQUEST_BATCH, &ended, err) && worked;
    worked = fleet_certificates_warn(fleet, now, REQUEST_BATCH, &ending, err) && worked;
    *busy = worked && (held == HOLD_BATCH || ended == REQUEST_BATCH || ending == REQUEST_BATCH);
    return worked;
}

bool job_renew(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    size_t count = 0;
    if (!fleet_renewals_queue(context->fleet, now, RENEWAL_BATCH, &count, err))
        return false;
    *busy = count == RENEWAL_BATCH;
    return true;
}

/* A rule that fails does not stop the others: it is told and tried again with the next run. */
bool job_prune(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    bool worked = true;
    (void)busy;
    for (size_t i = 0; i < fleet_prune_rules() && !fleet_job_stopped(context->options->shared);
         i++) {
        struct pruned pruned;
        struct err why;
        char count[24];
        bool pruned_all = fleet_prune(context->fleet, i, now, &pruned, &why);
        (void)snprintf(count, sizeof(count), "%lld", (long long)pruned.count);
        if (pruned.count > 0)
            log_event(LOG_INFO, "prune.removed", "what", pruned.what, "count", count, NULL);
        if (pruned_all)
            continue;
        worked = err_set(err, why.kind, "pruning %s: %s", pruned.what, why.text);
    }
    return worked;
}

bool job_revocation_list(struct job_context *context, const struct job *job, int64_t now,
                         int64_t *again_at, struct err *err)
{
    (void)job;
    if (!fleet_revocation_list_make(context->fleet, now, err))
        return false;
    *again_at = now + REVOCATION_LIST_SECONDS;
    return true;
}

bool job_resolve(struct job_context *context, const struct job *job, int64_t now, int64_t *again_at,
                 struct err *err)
{
    (void)again_at;
    return fleet_resolve(context->fleet, job->subject, now, err);
}

bool job_inventory(struct job_context *context, const struct job *job, int64_t now,
                   int64_t *again_at, struct err *err)
{
    return fleet_inventory_refresh(context->fleet, job->subject, now, again_at, err);
}
