/* SPDX-License-Identifier: Apache-2.0 */
/* Waking devices that have something to fetch; the room of a device knows how. */
#include "base/mem.h"
#include "fleet/push.h"
#include "jobs/runner.h"

/* A push may be lost, or its device be off for longer than the service keeps it: what is still open
 * is pushed for again, after a pause that doubles until something new is queued. */
#define AGAIN_FIRST_SECONDS 3600
#define AGAIN_MOST_SECONDS (24 * 3600)

struct wakers { /* by index of channels[]; NULL where devices poll */
    void **states;
};

static size_t channel_count(void)
{
    size_t count = 0;
    while (channels[count])
        count++;
    return count;
}

bool job_wake_open(void *owner, const struct jobs_settings *options, void **state, struct err *err)
{
    struct wakers *wakers = mem_new(owner, struct wakers);
    wakers->states = mem_array(wakers, void *, channel_count());
    for (size_t i = 0; channels[i]; i++)
        if (channels[i]->wake_open &&
            !channels[i]->wake_open(wakers, options->channels, &wakers->states[i], err))
            return err_context(err, "channel %s", channels[i]->name);
    *state = wakers;
    return true;
}

/* The rooms are asked in turn: only that of the enrolment has an address for it. */
static bool wake(struct job_context *context, const char *enrolment_id, int64_t now,
                 struct wake_result *result, struct err *err)
{
    const struct wakers *wakers = context->state;
    *result = (struct wake_result){.outcome = WAKE_IMPOSSIBLE};
    for (size_t i = 0; channels[i] && result->outcome == WAKE_IMPOSSIBLE; i++)
        if (channels[i]->wake &&
            !channels[i]->wake(context->fleet, wakers->states[i], enrolment_id, now, result, err))
            return false;
    return true;
}

bool job_wake(struct job_context *context, const struct job *job, int64_t now, int64_t *again_at,
              struct err *err)
{
    struct wake_result result;
    if (!wake(context, job->subject, now, &result, err))
        return false;
    switch (result.outcome) {
    case WAKE_SENT:
        *again_at = now + backoff_seconds(job->rounds, AGAIN_FIRST_SECONDS, AGAIN_MOST_SECONDS);
        return fleet_push_sent(context->fleet, job->subject, now, err);
    case WAKE_DEAD:
        return fleet_push_dead(context->fleet, job->subject, result.dead_since, now, err);
    case WAKE_IMPOSSIBLE: return true; /* it left, or cannot be reached: it may call by itself */
    case WAKE_LATER:
        *again_at = now + result.retry_seconds;
        return err_set(err, ERR_UNAVAILABLE, "%s", result.reason ? result.reason : "not now");
    }
    bug("wake outcome %d", (int)result.outcome);
}
