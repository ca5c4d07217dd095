/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrolment profile, signed: for a link, and once more to renew the identity of a device.  The
 * second replaces the first in place: same identifiers, addresses, topic, rights and signer (Apple,
 * com.apple.mdm: an update may not change them); only the challenge is new.
 */
#pragma once

#include "channel/apple/actions.h"
#include "fleet/enrol.h"
#include "http/http.h"
#include "pki/keyd.h"

struct apple_issuer { /* what a profile needs of ours */
    struct authorities authorities;
    int64_t signer; /* number of the authority that signs it; 0: as for one that comes */
    char *topic;
};
/* To be asked for before a link or a token is used up. ERR_UNAVAILABLE while keyd is away,
 * ERR_PRECONDITION without a push certificate. Belongs to owner. */
MUST_CHECK bool apple_issuer_get(struct fleet *fleet, void *owner, struct apple_issuer *out,
                                 struct err *err);
/* The signed profile as the answer. It holds the challenge: never log it. */
MUST_CHECK bool apple_profile_reply(struct request *request, const struct apple_issuer *issuer,
                                    const struct enrolment_start *start, struct reply *reply,
                                    struct err *err);
/* The profile of a device that is enrolled, with a challenge made now: *out belongs to owner.
 * ERR_PRECONDITION: it is not managed any more. */
MUST_CHECK bool apple_renewal_make(void *owner, const struct action *action, struct bytes *out,
                                   struct err *err);
