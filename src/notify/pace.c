/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/pace.h"

#define PIECE 1000

static int64_t most_of(const struct pace *pace)
{
    int64_t most = pace->per_second * PACE_BURST_MS;
    return most > PIECE ? most : PIECE;
}

struct pace pace_make(int64_t per_second, int64_t now_ms)
{
    struct pace pace = {.per_second = per_second, .at_ms = now_ms};
    pace.earned = most_of(&pace);
    return pace;
}

size_t pace_room(struct pace *pace, int64_t now_ms, size_t wanted)
{
    int64_t passed = now_ms > pace->at_ms ? now_ms - pace->at_ms : 0;
    int64_t most = most_of(pace);
    pace->at_ms = now_ms;
    /* a long pause earns no more than the burst, and does not overflow either */
    pace->earned =
        passed > most / pace->per_second ? most : pace->earned + passed * pace->per_second;
    if (pace->earned > most)
        pace->earned = most;
    size_t room = (size_t)(pace->earned > 0 ? pace->earned / PIECE : 0);
    return room < wanted ? room : wanted;
}

void pace_spend(struct pace *pace, size_t count)
{
    pace->earned -= (int64_t)count * PIECE;
}

int64_t pace_wait_ms(const struct pace *pace)
{
    int64_t missing = PIECE - pace->earned;
    return missing > 0 ? (missing + pace->per_second - 1) / pace->per_second : 0;
}
