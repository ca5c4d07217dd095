/* SPDX-License-Identifier: Apache-2.0 */
/* A budget per second (a token bucket): what is not used is kept for a short burst, no more. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PACE_BURST_MS 250 /* as much as this much time earns may go at once; one at least */

struct pace {
    int64_t per_second;
    int64_t earned; /* thousandths of a piece */
    int64_t at_ms;
};
struct pace pace_make(int64_t per_second, int64_t now_ms);
/* How many pieces may go now; at most `wanted`. */
size_t pace_room(struct pace *pace, int64_t now_ms, size_t wanted);
/* They went. */
void pace_spend(struct pace *pace, size_t count);
/* Milliseconds until one piece may go; 0: now. */
int64_t pace_wait_ms(const struct pace *pace);
