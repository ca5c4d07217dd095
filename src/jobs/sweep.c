/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that were not heard of for long are woken, a few each minute; and the push certificate's
 * end is told ahead. */
#include "base/mem.h"
#include "fleet/push.h"
#include "fleet/wake.h"
#include "jobs/runner.h"

#define PAGE 200               /* enrolments */
#define BACK_SECONDS (60 * 60) /* at a start: turns that may have passed while nothing ran */
#define DAY_SECONDS INT64_C(86400)

struct sweeper {
    int64_t until; /* whose turns are done */
};

bool job_sweep_open(void *owner, const struct jobs_settings *options, void **state, struct err *err)
{
    (void)options, (void)err;
    *state = mem_new(owner, struct sweeper);
    return true;
}

/* Turns go by the time of the day: a range that crosses midnight is cut there. */
static int64_t part_end(int64_t from, int64_t now)
{
    int64_t midnight = from - from % DAY_SECONDS + DAY_SECONDS;
    return now < midnight ? now : midnight - 1;
}

bool job_sweep(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    struct sweeper *sweeper = context->state;
    int64_t silent_seconds = context->options->channels->silent_seconds;
    size_t count = 0;
    if (silent_seconds == 0)
        return true;
    if (sweeper->until > now || sweeper->until < now - BACK_SECONDS)
        sweeper->until = now - BACK_SECONDS;
    const struct wake_sweep sweep = {.from = sweeper->until,
                                     .until = part_end(sweeper->until, now),
                                     .silent_seconds = silent_seconds,
                                     .most = PAGE};
    if (!fleet_wake_sweep(context->fleet, &sweep, now, &count, err))
        return false;
    if (count < PAGE)
        sweeper->until = sweep.until < now ? sweep.until + 1 : now;
    *busy = sweeper->until < now;
    return true;
}

bool job_push_warn(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    (void)busy;
    return fleet_push_warn(context->fleet, now, err);
}
