/* SPDX-License-Identifier: Apache-2.0 */
/* Departures that turn out differently: a device that comes back, a wipe that is taken back. */
#pragma once

#include "fleet/enrol.h"
#include "model/command.h"

/*
 * A device speaks whose departure was given up (retired_unconfirmed, wiped_unconfirmed): it was not
 * erased, or did not leave. The enrolment is leaving again and the command open again, with its id
 * and parameters; audit enrolment.reopen, event device.returned. *identity follows. Nothing happens
 * when the device has enrolled again since.
 */
MUST_CHECK bool fleet_departure_reopen(struct fleet *fleet, const struct actor *actor,
                                       struct identity *identity, struct err *err);
/*
 * A wipe that no device ever fetched is taken back: the device is asked to leave instead, since its
 * certificates are revoked. ERR_PRECONDITION when it was fetched. Permissions command.cancel and
 * device.wipe; audit command.cancel.
 */
MUST_CHECK bool fleet_wipe_take_back(struct fleet *fleet, const struct actor *actor,
                                     const struct command *wipe, struct err *err);
