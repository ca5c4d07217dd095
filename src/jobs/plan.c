/* SPDX-License-Identifier: Apache-2.0 */
/* Devices whose effective set changed: their rooms split it into items, fleet queues the
 * difference. */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "jobs/runner.h"

#define PLAN_BATCH 50  /* devices */
#define PLAN_MOST 5000 /* of one run: then the lease is renewed */
#define REST_SECONDS 1

static size_t batch_plan(struct job_context *context, char *const *ids, size_t count, int64_t now,
                         struct err *last)
{
    const struct actor actor = fleet_system_actor(now);
    size_t failed = 0;
    for (size_t i = 0; i < count; i++)
        if (!channel_plan(context->fleet, &actor, ids[i], last)) {
            log_err("job.plan", last, "device", ids[i], NULL);
            failed++;
        }
    return failed;
}

/* A device that cannot be planned does not stop the others; the job comes again for it. */
bool job_plan(struct job_context *context, const struct job *job, int64_t now, int64_t *again_at,
              struct err *err)
{
    char after[64] = "";
    size_t failed = 0;
    struct err last;
    (void)job;
    for (size_t done = 0; done < PLAN_MOST;) {
        CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
        char **ids = NULL;
        size_t count = 0;
        if (!fleet_unplanned(context->fleet, owner, *after ? after : NULL, PLAN_BATCH, &ids, &count,
                             err))
            return false;
        if (count == 0 && failed == 0)
            return true;
        if (count == 0) {
            *err = last;
            return false;
        }
        size_t bad = batch_plan(context, ids, count, now, &last);
        failed += bad;
        done += count - bad; /* the bad ones do not use up the run of the others */
        (void)snprintf(after, sizeof(after), "%s", ids[count - 1]);
    }
    *again_at = now + REST_SECONDS;
    return true;
}
