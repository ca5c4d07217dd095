/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include "base/id.h"

int64_t backoff_doubled(int64_t times, int64_t first, int64_t most)
{
    int64_t doubled = first;
    for (int64_t i = 0; i < times; i++) {
        if (doubled > most / 2)
            return most;
        doubled *= 2;
    }
    return doubled < most ? doubled : most;
}

int64_t backoff_seconds(int64_t tries, int64_t first, int64_t most)
{
    uint16_t chance;
    random_bytes(&chance, sizeof(chance));
    int64_t seconds = backoff_doubled(tries, first, most);
    /* 75 % to 125 %, in steps of a second, never below one */
    int64_t spread = seconds / 2;
    int64_t moved = seconds - spread / 2 + spread * chance / UINT16_MAX;
    return moved > 0 ? moved : 1;
}
