/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: what a device runs. */
#pragma once

enum platform { PLATFORM_IOS, PLATFORM_IPADOS, PLATFORM_MACOS, PLATFORM_COUNT };
extern const char *const platform_names[]; /* "ios", "ipados", "macos", NULL */
