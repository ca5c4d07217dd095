/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: push addresses.  A message with an old address, sent again, looks like one
 * with a new address; so the one before is kept, and taken again when the newer one fails.
 */
#pragma once

#include "fleet/enrol.h"
#include "model/device.h"

/* Is it another address than the one that is stored? What is not told does not differ. */
MUST_CHECK bool address_differs(struct fleet *fleet, void *owner, const struct enrolment *enrolment,
                                const struct push_address *address, bool *differs, struct err *err);
/* The address before, for a device that was not heard of since it told the newer one. Data NULL
 * where there is none. */
MUST_CHECK bool address_before(struct fleet *fleet, void *owner, const struct enrolment *enrolment,
                               struct bytes *token, struct bytes *magic, struct err *err);
/* Take the address before again, unless the one that is stored was told before `since`; *taken. */
MUST_CHECK bool address_put_back(struct db *tx, const struct enrolment *enrolment, int64_t since,
                                 int64_t now, bool *taken, struct err *err);
