/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what an enrolment begins with. Nothing that an earlier one reported counts. */
#pragma once

#include "fleet/enrol.h"

/* What a device says of itself at its first contact, as facts of this enrolment. */
MUST_CHECK bool arrival_claims(struct db *tx, const char *enrolment_id,
                               const struct device_claims *claims, int64_t now, struct err *err);
/*
 * The device is what the link of this enrolment makes of it: company's or personal. What is
 * nobody's business where it is personal goes, lists and facts of earlier enrolments with it. Audit
 * device.ownership and an event when that changes something.
 */
MUST_CHECK bool arrival_ownership(struct db *tx, const char *enrolment_id, const char *device_id,
                                  int64_t now, struct err *err);
