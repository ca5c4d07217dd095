/* SPDX-License-Identifier: Apache-2.0 */
/* Repeatable random numbers for property tests: a failure names its seed. */
#pragma once

#include "policy/setting.h"

/* splitmix64 */
static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t mixed = *seed += 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
    return mixed ^ mixed >> 31;
}

static inline size_t random_below(uint64_t *seed, size_t limit)
{
    return (size_t)(random_next(seed) % limit);
}

/* A value of the setting that setting_check accepts. */
static inline int64_t random_value(uint64_t *seed, const struct setting *setting)
{
    size_t choices = 0;
    while (setting->choices && setting->choices[choices])
        choices++;
    if (setting->type == SETTING_ENUM)
        return (int64_t)random_below(seed, choices);
    if (setting->off >= 0 && random_below(seed, 6) == 0)
        return setting->off;
    return setting->lowest +
           (int64_t)random_below(seed, (size_t)(setting->highest - setting->lowest) + 1);
}
