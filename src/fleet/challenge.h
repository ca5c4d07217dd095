/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: one-time challenges, and what the certificate request with one must ask for.
 */
#pragma once

#include "fleet/enrol.h"

#define CHALLENGE_PURPOSE "mdm-identity"
#define CHALLENGE_BITS 255 /* 51 characters of [A-Z2-7]: legal in every string type */

struct challenge_wish { /* a challenge before it is written down */
    const char *id, *enrolment_id, *expectation;
    const char *purpose, *subject, *created_by; /* all NULL: a device's identity */
    bool needs_approval;
    const char *renews; /* certificate that its own one replaces; NULL: the first */
    uint8_t mac[32];
    int64_t now, expires_at;
    int64_t authority; /* whose signer of profiles an enrolment that begins with it has */
};
/*
 * Fill what a device of this enrolment is to be given, with a new challenge. Nothing is written;
 * keyd is asked. ERR_UNAVAILABLE. All belongs to owner.
 */
MUST_CHECK bool challenge_prepare(struct fleet *fleet, void *owner, const char *enrolment_id,
                                  int64_t now, struct enrolment_start *start,
                                  struct challenge_wish *wish, struct err *err);
/* The row and the first two steps of the trace. */
MUST_CHECK bool challenge_insert(struct db *tx, const struct challenge_wish *wish, struct err *err);
