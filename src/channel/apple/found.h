/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are no facts: where a device is, and what opens its activation lock.  Pure. */
#pragma once

#include "codec/plist.h"
#include "model/position.h"

/* Of DeviceLocation. False when the answer holds no position that can be on this planet. */
bool apple_position_read(const struct plist *answer, struct position *out);
/* Of ActivationLockBypassCode; NULL when the answer holds none. Borrows. */
const char *apple_bypass_code_read(const struct plist *answer);
