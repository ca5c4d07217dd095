/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/wake_judge.h"

#include "base/backoff.h"

#define REST_FIRST_SECONDS 1
#define REST_MOST_SECONDS (5 * 60)
#define BUSY_SECONDS 60           /* 429: too many for one device */
#define REFUSED_SECONDS (60 * 60) /* the push itself: until someone looked */

void wake_judge_reset(struct wake_judge *judge)
{
    *judge = (struct wake_judge){0};
}

/* The certificate works: what was held against it is over. Not so a rest or a pause: this push may
 * have been under way when it began, and only one sent since then shows that it is over. */
static enum wake_turn works(struct wake_judge *judge, int64_t now)
{
    bool is_over = judge->is_paused && judge->is_probing;
    judge->is_paused = judge->is_paused && !is_over;
    judge->wrong_in_a_row = 0;
    if (now >= judge->rest_until)
        judge->failures = 0;
    return is_over ? TURN_RESUME : TURN_NONE;
}

static enum wake_turn pause_begin(struct wake_judge *judge, struct wake_answer *out)
{
    bool was_paused = judge->is_paused;
    out->outcome = WAKE_HELD;
    judge->is_paused = true;
    judge->is_probing = false;
    return was_paused ? TURN_NONE : TURN_PAUSE;
}

/* One rest for all that failed together: answers that come while it lasts do not make it longer,
 * unless the service asks for it. */
static void rest(struct wake_judge *judge, int64_t asked_seconds, int64_t now)
{
    if (now >= judge->rest_until)
        judge->rest_until =
            now + backoff_seconds(judge->failures++, REST_FIRST_SECONDS, REST_MOST_SECONDS);
    if (judge->rest_until < now + asked_seconds)
        judge->rest_until = now + asked_seconds;
}

/* While it is paused nobody knows whose fault it is: this one goes behind the others, or the same
 * device would be asked for ever. */
static enum wake_turn wrong(struct wake_judge *judge, struct wake_answer *out)
{
    judge->failures = 0;
    if (judge->is_paused)
        return TURN_NONE;
    out->outcome = WAKE_WRONG;
    return ++judge->wrong_in_a_row >= WRONG_IN_A_ROW_MOST ? pause_begin(judge, out) : TURN_NONE;
}

enum wake_turn wake_judge_due(const struct wake_judge *judge, bool is_paused)
{
    if (judge->is_paused == is_paused)
        return TURN_NONE;
    return judge->is_paused ? TURN_PAUSE : TURN_RESUME;
}

enum wake_turn wake_judge_take(struct wake_judge *judge, const struct apns_answer *answer,
                               int64_t now, struct wake_answer *out)
{
    *out = (struct wake_answer){.outcome = WAKE_LATER,
                                .retry_seconds = answer->retry_seconds,
                                .dead_since = answer->dead_since,
                                .reason = answer->reason};
    switch (answer->outcome) {
    case APNS_SENT: out->outcome = WAKE_SENT; return works(judge, now);
    case APNS_DEAD: out->outcome = WAKE_DEAD; return works(judge, now);
    case APNS_WRONG: return wrong(judge, out);
    case APNS_CERTIFICATE: return pause_begin(judge, out);
    case APNS_AWAY:
        out->outcome = WAKE_HELD;
        rest(judge, answer->retry_seconds, now);
        return TURN_NONE;
    case APNS_LATER:
        out->retry_seconds = answer->retry_seconds ? answer->retry_seconds : BUSY_SECONDS;
        return TURN_NONE;
    case APNS_REFUSED: out->retry_seconds = REFUSED_SECONDS; return TURN_NONE;
    }
    bug("answer %d of the push service", (int)answer->outcome);
}
