/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items: an effective set split into configuration profiles, one per payload.  The hash of an item
 * is the PayloadUUID of its profile, made out of the content: what a device lists can be compared
 * with what it should have, and equal values give equal bytes.  Pure.
 */
#pragma once

#include "codec/plist.h"
#include "fleet/desired.h"

#define APPLE_ITEM_PREFIX "org.muster.policy." /* of PayloadIdentifier; never changes */
#define APPLE_ITEM_DECLARED_PREFIX "org.muster.declared."
#define APPLE_PROFILE_SIZE_MAX (1024 * 1024) /* bytes of one profile */

struct apple_item {
    const char *name; /* "passcode" */
    const char *hash; /* a UUID in upper case */
    struct plist *profile;
    bool is_of_person; /* see struct apple_payload */
};
/* Those that a command brings. Everything belongs to owner. */
MUST_CHECK bool apple_items_make(void *owner, const struct effective *effective,
                                 struct apple_item **items, size_t *count, struct err *err);

/* The same values in profiles that devices fetch by themselves: with identifiers of their own, so
 * that one can be there beside the other until it has taken over. */
MUST_CHECK bool apple_items_make_declared(void *owner, const struct effective *effective,
                                          struct apple_item **items, size_t *count,
                                          struct err *err);

char *apple_item_identifier(void *owner, const char *item);
/* The part of a PayloadIdentifier behind our prefix; NULL: none of ours. Borrows. */
const char *apple_item_of_identifier(const char *identifier);
