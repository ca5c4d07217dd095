/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: passwords.  A hash takes 19 MiB and tens of milliseconds; few are made at
 * once, however many ask, so that devices find a worker. */
#pragma once

#include "fleet/fleet.h"

#define HASHES_AT_ONCE 2 /* of the whole process */
#define HASHES_WAITING 4 /* threads that wait for one; whoever comes then is refused */

struct hashing; /* what the threads share */
struct hashing *hashing_make(void *owner);
/* Wait for a place; ERR_UNAVAILABLE when too many wait already. Each true needs one hashing_end. */
MUST_CHECK bool hashing_begin(struct hashing *hashing, struct err *err);
void hashing_end(struct hashing *hashing);

/* ERR_UNAVAILABLE: too many at once. The hash belongs to owner. */
MUST_CHECK bool password_hash(struct fleet *fleet, void *owner, const char *password, char **out,
                              struct err *err);
MUST_CHECK bool password_matches(struct fleet *fleet, const char *hash, const char *password,
                                 bool *out, struct err *err);
/* Long enough, not too long, and not the old one; "/new_password" is at fault. */
MUST_CHECK bool password_check(const char *password, const char *old, struct err *err);
/* For the first sign-in alone. Belongs to owner. */
char *password_once(void *owner);
