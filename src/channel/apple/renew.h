/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrolment profile, signed: for a link, and once more to renew the identity of a device.  The
 * second replaces the first in place: same identifiers, addresses, topic, rights and signer (Apple,
 * com.apple.mdm: an update may not change them); only the challenge is new.
 */
#pragma once

#include "channel/apple/actions.h"
#include "fleet/enrol.h"
#include "pki/keyd.h"

/* *out belongs to owner. It holds the challenge: never log it. ERR_UNAVAILABLE while keyd is away.
 */
MUST_CHECK bool apple_enrolment_sign(struct fleet *fleet, void *owner,
                                     const struct authority *authority,
                                     const struct enrolment_start *start, const char *topic,
                                     struct bytes *out, struct err *err);
/* The same for a device that is enrolled, with a challenge made now. ERR_PRECONDITION: it is not
 * managed any more. */
MUST_CHECK bool apple_renewal_make(void *owner, const struct action *action, struct bytes *out,
                                   struct err *err);
