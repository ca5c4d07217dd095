/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: the steps of a certificate's making, as they happen. */
#pragma once

#include "fleet/fleet.h"

/* step: enum certificate_step_number; detail: JSON text. */
MUST_CHECK bool step_add(struct db *tx, const char *challenge_id, int step, const char *outcome,
                         const char *detail, int64_t now, struct err *err);
/* The device used the certificate: step 7, the first time. */
MUST_CHECK bool certificate_seen(struct db *tx, const char *certificate_id, int64_t now,
                                 struct err *err);
