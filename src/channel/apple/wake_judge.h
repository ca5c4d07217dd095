/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the answers of the push service, one after the other, mean for the sender: go on, rest, or
 * hold the queue until an administrator acts.  Pure.
 */
#pragma once

#include "fleet/wake.h"
#include "notify/apns_answer.h"

#define WRONG_IN_A_ROW_MOST 20 /* addresses; then it is the certificate or the environment */

struct wake_judge {
    int64_t failures; /* in a row, of the service or the way to it */
    int64_t rest_until;
    int64_t wrong_in_a_row;
    bool is_paused;  /* known to be */
    bool is_probing; /* paused, and nothing from before the pause is under way any more */
};
/* A new certificate: nothing is known of it. */
void wake_judge_reset(struct wake_judge *judge);

enum wake_turn { TURN_NONE, TURN_PAUSE, TURN_RESUME }; /* of the certificate */
/* What has to be written, where it is stored whether pushing is paused: what could not be written
 * is due again. */
enum wake_turn wake_judge_due(const struct wake_judge *judge, bool is_paused);
/* Fills all of the answer but its wake, its reason by the service's. */
enum wake_turn wake_judge_take(struct wake_judge *judge, const struct apns_answer *answer,
                               int64_t now, struct wake_answer *out);
