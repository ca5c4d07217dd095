/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: how often one may be wrong at the door. In memory, of a fixed size; nothing in
 * it is truth.
 *
 * Each address has a budget (IPv6: each /64), and so has each name, whether it exists or not: many
 * addresses together cannot guess one person's password for long. A name's is larger, and counts
 * only for addresses from which nobody has signed in by that name since the start: whoever knows a
 * name cannot lock its owner out of where the owner works.
 */
#pragma once

#include "fleet/fleet.h"

#define ATTEMPTS_OF_ADDRESS 5
#define ATTEMPTS_OF_NAME 60
#define ATTEMPT_SECONDS 60 /* until one is there again, of either */

struct attempt {
    const char *address, *name;
    int64_t now;
    bool name_counts; /* set by attempt_take */
};
struct attempts *attempts_make(void *owner);
/* Looks and takes in one step: attempts at once cannot have more than the budget together.
 * ERR_TOO_MANY. */
MUST_CHECK bool attempt_take(struct attempts *attempts, struct attempt *attempt, struct err *err);
/* It was no wrong one. */
void attempt_give_back(struct attempts *attempts, const struct attempt *attempt);
/* It was right: the name has been here. */
void attempt_remember(struct attempts *attempts, const struct attempt *attempt);
