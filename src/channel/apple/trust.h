/* SPDX-License-Identifier: Apache-2.0 */
/* The item that brings devices the roots of a rollover, beside the one that they enrolled with. */
#pragma once

#include "channel/apple/items.h"

/* One payload for each root (DER); equal roots in any order give the same item. Its name is
 * TRUST_ITEM. Belongs to owner. */
struct apple_item apple_trust_make(void *owner, const struct bytes *roots, size_t count);
