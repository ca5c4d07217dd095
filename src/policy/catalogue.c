/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings.def. Alone in its file, so that a test can bring another catalogue. */
#include "policy/setting.h"

#define EVERYWHERE (1U << PLATFORM_IOS | 1U << PLATFORM_IPADOS | 1U << PLATFORM_MACOS)

#define BOOLEAN(stricter)                                                                          \
    .type = SETTING_BOOLEAN, .rule = STRICTER_##stricter, .lowest = 0, .highest = 1, .off = -1
#define INTEGER_OR_OFF(stricter, low, high, no_limit)                                              \
    .type = SETTING_INTEGER, .rule = STRICTER_##stricter, .lowest = (low), .highest = (high),      \
    .off = (no_limit)
#define INTEGER(stricter, low, high) INTEGER_OR_OFF(stricter, low, high, -1)
#define ENUM(list) .type = SETTING_ENUM, .rule = STRICTER_RANK, .choices = list, .off = -1

const struct setting settings[SETTING_COUNT] = {
#define SETTING(id, ...) [SETTING_##id] = {__VA_ARGS__},
#include "policy/settings.def"
#undef SETTING
};
