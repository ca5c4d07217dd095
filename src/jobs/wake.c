/* SPDX-License-Identifier: Apache-2.0 */
/* Waking devices that have something to fetch: many at once, within a budget; the room of a device
 * knows how. */
#include "fleet/wake.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jobs/runner.h"
#include "notify/pace.h"

#define DEBOUNCE_SECONDS 1 /* rows that are due for this long: bursts become one push */
#define TAKE_MS 50         /* answers of this time are settled together */
#define LAST_MS 2000       /* for what is under way when the process stops */

struct wakers {
    void **states; /* by index of channels[]; NULL where devices poll */
    struct pace pace;
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
    wakers->pace = pace_make(options->channels->pushes_per_second, clock_monotonic_ms());
    for (size_t i = 0; channels[i]; i++)
        if (channels[i]->wake_open &&
            !channels[i]->wake_open(wakers, options->channels, &wakers->states[i], err))
            return err_context(err, "channel %s", channels[i]->name);
    *state = wakers;
    return true;
}

struct turn { /* one room's, once */
    struct job_context *context;
    const struct channel *channel;
    void *state;
    struct pace *pace;
    int64_t now;
};

/* Start what is due and may go. *wait_ms: until there is a reason to look again, at most. */
static bool start(const struct turn *turn, bool *busy, int *wait_ms, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct wake *wakes = NULL;
    size_t room = 0, count = 0;
    if (!turn->channel->wake_room(turn->context->fleet, turn->state, turn->now, &room, err))
        return false;
    size_t most = room < WAKE_CLAIM_MOST ? room : WAKE_CLAIM_MOST;
    size_t granted = pace_room(turn->pace, clock_monotonic_ms(), most);
    if (granted > 0 &&
        !fleet_wake_claim(turn->context->fleet, owner, turn->channel->name,
                          turn->now - DEBOUNCE_SECONDS, granted, &wakes, &count, err))
        return false;
    pace_spend(turn->pace, count);
    for (size_t i = 0; i < count; i++)
        turn->channel->wake_start(turn->state, &wakes[i], turn->now);
    bool is_paced = most > 0 && granted == 0;
    *busy = *busy || is_paced || count > 0;
    *wait_ms = count == WAKE_CLAIM_MOST ? 0 : TAKE_MS;
    return true;
}

static bool settle(const struct turn *turn, int ms, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct fleet *fleet = turn->context->fleet;
    struct woken woken;
    return turn->channel->wake_take(fleet, turn->state, owner, turn->now, ms, &woken, err) &&
           fleet_wake_settle(fleet, woken.answers, woken.count, turn->now, err);
}

static bool turn_run(const struct turn *turn, bool *busy, struct err *err)
{
    int wait_ms = 0;
    if (!start(turn, busy, &wait_ms, err))
        return false;
    bool is_under_way = turn->channel->wake_under_way(turn->state) > 0;
    *busy = *busy || is_under_way;
    return !*busy || settle(turn, wait_ms, err);
}

/* When the process stops, what was started is waited for: its answer counts. */
static bool end(const struct turn *turn, struct err *err)
{
    int64_t until = clock_monotonic_ms() + LAST_MS;
    while (turn->channel->wake_under_way(turn->state) > 0 && clock_monotonic_ms() < until)
        if (!settle(turn, TAKE_MS, err))
            return false;
    return true;
}

bool job_wake(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    struct wakers *wakers = context->state;
    bool is_over = fleet_job_stopped(context->options->shared);
    for (size_t i = 0; channels[i]; i++) {
        const struct turn turn = {context, channels[i], wakers->states[i], &wakers->pace, now};
        if (channels[i]->wake_open && !(is_over ? end(&turn, err) : turn_run(&turn, busy, err)))
            return false;
    }
    return true;
}
