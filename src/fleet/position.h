/* SPDX-License-Identifier: Apache-2.0 */
/* Where a lost device was: asked for, looked at and forgotten on purpose. */
#pragma once

#include "fleet/fleet.h"
#include "model/position.h"

/* The last one that is kept. Permission device.locate; each look is in the audit log.
 * ERR_NOT_FOUND when there is none (any more). */
MUST_CHECK bool fleet_position_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const char *device_id, struct position *out, struct err *err);

/* ---- inside fleet ---- */
/* Of a personal device nothing is kept. */
MUST_CHECK bool position_save(struct db *tx, const char *device_id, const struct position *position,
                              int64_t now, struct err *err);
