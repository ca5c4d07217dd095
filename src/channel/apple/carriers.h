/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carriers: which way each part of an effective set takes to this device.  A declaration where the
 * device says that it knows it, else a profile; while one takes over from the other, both, until
 * the new one is in force.  Pure.
 */
#pragma once

#include "channel/apple/declarations.h"
#include "channel/apple/items.h"

struct apple_plan {
    const struct apple_item *profiles;
    size_t profile_count;
    struct apple_declarations declarations;
    const struct apple_item
        *fetched; /* profiles that the declarations name, for the device to fetch */
    size_t fetched_count;
};
#define APPLE_FETCH_PATH "/apple/profile" /* behind it: /<item>/<hash> */
/* Everything belongs to owner. */
MUST_CHECK bool apple_plan_make(void *owner, const struct effective *effective,
                                struct apple_plan *out, struct err *err);
/* As struct channel wants it. */
MUST_CHECK bool apple_items(void *owner, const struct effective *effective,
                            struct wanted_item **items, size_t *count, const char **declarations,
                            struct err *err);
