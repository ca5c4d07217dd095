/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what is on a device: apps, certificates, profiles.  What is missing in an entry is not
 * told, never "no".  Pure. */
#pragma once

#include "codec/plist.h"
#include "fleet/inventory.h"

/* False when the answer holds no list. Everything belongs to owner. Entries that name nothing are
 * left out; of more than INVENTORY_THINGS_MAX the rest is cut off. */
bool apple_list_read(void *owner, const struct plist *answer, struct reported_list *out);
/* What is asked of each app: sizes of documents, which are slow to find, are not (Items). */
void apple_app_keys_add(struct plist *items);
