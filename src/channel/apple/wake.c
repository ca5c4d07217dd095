/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/wake.h"

#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/wake_judge.h"
#include "fleet/push.h"
#include "notify/apns.h"

/* One notification per device is kept by the service; a device that is off for longer is woken by
 * the next command. */
#define PUSH_LIFE_SECONDS (7 * 24 * 3600)
#define PROBE_SECONDS (15 * 60) /* one push while the certificate is not accepted */

struct under_way { /* a push */
    struct wake wake;
    bool is_before;         /* to the address before: only that it is dead counts */
    struct under_way *next; /* of those that could not even be started */
    const char *problem;
};

struct waker {
    const struct channel_settings *options;
    struct apns *apns;
    struct push_state state; /* of the certificate, as of looked_at */
    void *state_owner;
    int64_t looked_at;
    int64_t revision; /* of the certificate that apns was opened with */
    int64_t probe_at; /* while it is paused */
    struct wake_judge judge;
    char *pause_reason; /* of the judge's last pause, for people */
    struct under_way *failed;
    size_t failed_count;
};

bool apple_wake_open(void *owner, const struct channel_settings *options, void **state,
                     struct err *err)
{
    (void)err;
    struct waker *waker = mem_new(owner, struct waker);
    waker->options = options;
    *state = waker;
    return true;
}

size_t apple_wake_under_way(const void *state)
{
    const struct waker *waker = state;
    return waker->failed_count + (waker->apns ? apns_under_way(waker->apns) : 0);
}

static bool connection_open(struct fleet *fleet, struct waker *waker, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct push_credentials credentials = {0};
    if (!fleet_push_credentials(fleet, owner, &credentials, err))
        return false;
    const struct apns_settings apns = {
        .url = waker->options->apns_url,
        .ca_file = waker->options->apns_ca_file,
        .certificate_pem = credentials.certificate_pem,
        .key_pem = credentials.key_pem,
    };
    bool ok = apns_open(waker, &apns, &waker->apns, err);
    bytes_wipe(credentials.key_pem, strlen(credentials.key_pem));
    waker->revision = credentials.revision;
    wake_judge_reset(&waker->judge);
    waker->judge.is_paused = waker->state.paused_at != 0;
    waker->probe_at = waker->state.paused_at + PROBE_SECONDS;
    return ok;
}

/* Once a second is enough: an import or a pause counts from the next push on. */
static bool state_look(struct fleet *fleet, struct waker *waker, int64_t now, struct err *err)
{
    if (waker->looked_at == now)
        return true;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct push_state state = {0};
    if (!fleet_push_state(fleet, owner, &state, err))
        return false;
    mem_free(waker->state_owner);
    waker->state_owner = mem_give(waker, &owner);
    waker->state = state;
    waker->looked_at = now;
    return true;
}

/* A new certificate makes new connections: the old ones would go on with the old certificate. What
 * is under way there is waited for. */
static bool connection_ready(struct fleet *fleet, struct waker *waker, bool *ready, struct err *err)
{
    if (!waker->apns || waker->revision != waker->state.revision) {
        if (apple_wake_under_way(waker) > 0)
            return true;
        mem_free(waker->apns);
        waker->apns = NULL;
        if (!connection_open(fleet, waker, err))
            return false;
    }
    *ready = true;
    return true;
}

/* One push alone, to learn whether it works again. */
static size_t room_for_probe(const struct waker *waker)
{
    return apple_wake_under_way(waker) == 0 ? 1 : 0;
}

static size_t room_of(struct waker *waker, int64_t now)
{
    if (now < waker->judge.rest_until)
        return 0;
    if (waker->judge.is_paused) {
        if (now < waker->probe_at)
            return 0;
        return room_for_probe(waker);
    }
    /* two each: one may go to an address before */
    return waker->judge.failures > 0 ? room_for_probe(waker) : apns_room(waker->apns) / 2;
}

/* The answers do not wait for it: what could not be written is written at the next turn. */
static bool pause_store(struct fleet *fleet, struct waker *waker, int64_t now, struct err *err)
{
    const char *id = waker->state.id;
    enum wake_turn turn = wake_judge_due(&waker->judge, waker->state.paused_at != 0);
    if (turn != TURN_NONE)
        waker->looked_at = 0;
    switch (turn) {
    case TURN_NONE: return true;
    case TURN_PAUSE: return fleet_push_pause(fleet, id, waker->pause_reason, now, err);
    case TURN_RESUME: return fleet_push_resume(fleet, id, now, err);
    }
    bug("turn %d of the push certificate", (int)turn);
}

bool apple_wake_room(struct fleet *fleet, void *state, int64_t now, size_t *room, struct err *err)
{
    struct waker *waker = state;
    bool ready = false;
    *room = 0;
    if (!state_look(fleet, waker, now, err))
        return false;
    if (!waker->state.is_active) /* the queue waits for the first certificate */
        return true;
    if (waker->state.not_after <= now)
        return waker->state.paused_at ||
               fleet_push_pause(fleet, waker->state.id, "the push certificate has expired", now,
                                err);
    if (!connection_ready(fleet, waker, &ready, err))
        return false;
    if (!ready)
        return true;
    *room = room_of(waker, now);
    return pause_store(fleet, waker, now, err);
}

static void push_start(struct waker *waker, const struct wake *wake, bool is_before, int64_t now)
{
    struct under_way *one = mem_new(waker, struct under_way);
    struct err err;
    one->wake = *wake;
    one->wake.enrolment_id = mem_text(one, wake->enrolment_id);
    one->wake.topic = mem_text(one, wake->topic);
    one->wake.token = one->wake.magic = one->wake.token_before = one->wake.magic_before = NO_BYTES;
    one->is_before = is_before;
    const struct apns_push push = {wake->topic, is_before ? wake->token_before : wake->token,
                                   is_before ? wake->magic_before : wake->magic,
                                   now + PUSH_LIFE_SECONDS};
    if (apns_start(waker->apns, &push, one, &err))
        return;
    one->problem = mem_text(one, err.text);
    one->next = waker->failed;
    waker->failed = one;
    waker->failed_count++;
}

/* Told once more, an old address looks like a new one: both are called, the one before first. */
void apple_wake_start(void *state, const struct wake *wake, int64_t now)
{
    struct waker *waker = state;
    waker->probe_at = now + PROBE_SECONDS;
    waker->judge.is_probing = waker->judge.is_paused;
    if (wake->token_before.data && wake->magic_before.data)
        push_start(waker, wake, true, now);
    push_start(waker, wake, false, now);
}

/* Those that could not be started first. */
static bool answer_next(struct waker *waker, void *owner, struct under_way **one,
                        struct apns_answer *answer)
{
    void *context = NULL;
    if (waker->failed) {
        *one = waker->failed;
        waker->failed = (*one)->next;
        waker->failed_count--;
        *answer = (struct apns_answer){.outcome = APNS_REFUSED, .reason = (*one)->problem};
        return true;
    }
    if (!waker->apns || !apns_next(waker->apns, owner, &context, answer))
        return false;
    *one = context;
    return true;
}

static void pause_remember(struct waker *waker, const struct apns_answer *answer)
{
    const char *said = answer->reason ? answer->reason : "no reason";
    mem_free(waker->pause_reason);
    waker->pause_reason =
        answer->outcome == APNS_WRONG
            ? mem_format(waker,
                         "it refused %d devices in a row (%s): certificate or environment are not "
                         "theirs",
                         WRONG_IN_A_ROW_MOST, said)
            : mem_format(waker, "the push service says: %s", said);
}

/* One that fails does no harm: the next push to that address says it again. */
static void before_over(struct fleet *fleet, const struct under_way *over,
                        const struct apns_answer *answer)
{
    struct err ignored;
    bool is_forgotten = answer->outcome == APNS_DEAD &&
                        fleet_wake_forget_before(fleet, over->wake.enrolment_id, &ignored);
    (void)is_forgotten;
}

/* What came cannot fail to be handed on: it comes once. */
bool apple_wake_take(struct fleet *fleet, void *state, void *owner, int64_t now, int ms,
                     struct woken *out, struct err *err)
{
    struct waker *waker = state;
    struct apns_answer answer;
    struct under_way *one = NULL;
    (void)err;
    *out = (struct woken){.answers = mem_array(owner, struct wake_answer, WAKE_CLAIM_MOST)};
    if (waker->apns)
        apns_work(waker->apns, waker->failed ? 0 : ms, WAKE_CLAIM_MOST);
    while (out->count < WAKE_CLAIM_MOST && answer_next(waker, owner, &one, &answer)) {
        struct under_way *over = mem_give(owner, &one);
        if (over->is_before) {
            before_over(fleet, over, &answer);
            continue;
        }
        struct wake_answer *taken = &out->answers[out->count++];
        if (wake_judge_take(&waker->judge, &answer, now, taken) == TURN_PAUSE)
            pause_remember(waker, &answer);
        taken->wake = &over->wake;
    }
    return true;
}
