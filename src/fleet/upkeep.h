/* SPDX-License-Identifier: Apache-2.0 */
/* What time alone changes: called by jobs. */
#pragma once

#include "fleet/fleet.h"

#define SILENCE_SECONDS (14 * 24 * 3600) /* after which a departure is taken as unconfirmed */

/* Commands that no device fetched in their life are given up. */
MUST_CHECK bool fleet_commands_expire(struct fleet *fleet, int64_t now, struct err *err);
/* Devices that were asked to leave and are silent since: retired_unconfirmed, wiped_unconfirmed.
 * `limit` are read at a time; *count tells how many there were. One that cannot be closed does not
 * stop the others. */
MUST_CHECK bool fleet_departures_close(struct fleet *fleet, int64_t now, int64_t limit,
                                       size_t *count, struct err *err);
