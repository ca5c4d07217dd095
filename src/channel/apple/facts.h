/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices report, in catalogue words: one table says what is asked and what an answer means.
 * A key that is missing is left out: unknown, never false.  Pure.
 */
#pragma once

#include "channel/apple/message.h"
#include "fleet/act.h"
#include "model/fact.h"
#include "model/platform.h"

/* The names that a DeviceInformation command asks for on this platform, appended to the array; of a
 * personal device what is private is not asked for, of an account only what it tells. */
enum apple_reach { REACH_ALL, REACH_PERSONAL, REACH_ACCOUNT };
void apple_queries_add(struct plist *queries, enum platform platform, enum apple_reach reach);
/* The facts that an answer holds (DeviceInformation, SecurityInfo). Everything belongs to owner.
 * A value of a type that the row does not expect counts as missing. */
void apple_facts_read(void *owner, const struct plist *answer, int64_t now, struct fact **facts,
                      size_t *count);
/* The items of ours that a ProfileList holds. False when the answer holds no list. */
bool apple_items_read(void *owner, const struct plist *answer, struct reported_item **items,
                      size_t *count);
