/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include "base/id.h"

int64_t backoff_seconds(int64_t tries, int64_t first, int64_t most)
{
    uint16_t chance;
    random_bytes(&chance, sizeof(chance));
    int64_t seconds = first;
    for (int64_t i = 0; i < tries && seconds < most; i++)
        seconds *= 2;
    seconds = seconds < most ? seconds : most;
    /* 75 % to 125 %, in steps of a second, never below one */
    int64_t spread = seconds / 2;
    int64_t moved = seconds - spread / 2 + spread * chance / UINT16_MAX;
    return moved > 0 ? moved : 1;
}
