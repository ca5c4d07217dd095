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
/* 1.0 to 9999.9999.9999; the years 2000 to 9999 */
#define VERSION(stricter)                                                                          \
    .type = SETTING_VERSION, .rule = STRICTER_##stricter, .lowest = INT64_C(100000000),            \
    .highest = INT64_C(999999999999), .off = -1
#define TIME(stricter)                                                                             \
    .type = SETTING_TIME, .rule = STRICTER_##stricter, .lowest = INT64_C(946684800),               \
    .highest = INT64_C(253402300799), .off = -1
#define ENUM(list) .type = SETTING_ENUM, .rule = STRICTER_RANK, .choices = list, .off = -1

const struct setting settings[SETTING_COUNT] = {
#define SETTING(id, ...) [SETTING_##id] = {__VA_ARGS__},
#include "policy/settings.def"
#undef SETTING
};
