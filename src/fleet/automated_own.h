/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what the first steps of a device have to know of automated enrolment. */
#pragma once

#include "fleet/enrol.h"

struct db;
/* The device is the one that the profile was made for. ERR_FORBIDDEN. Enrolments that came another
 * way pass. */
MUST_CHECK bool automated_meet(struct db *tx, const char *enrolment_id,
                               const struct device_claims *claims, struct err *err);
/* It waits in its assistant, or does so no more. */
MUST_CHECK bool automated_await(struct db *tx, const char *enrolment_id, bool awaits, int64_t now,
                                struct err *err);
