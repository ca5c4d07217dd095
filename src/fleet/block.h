/* SPDX-License-Identifier: Apache-2.0 */
/* A device shut out, and let in again, without it leaving management. */
#pragma once

#include "fleet/fleet.h"

/*
 * Block: in one transaction the enrolment is blocked, what is certified for it is held (OCSP:
 * revoked, certificateHold, at the next query; the revocation list within a minute), challenges are
 * cancelled, and audit and event are written. Sessions are refused without making the device
 * unenrol; its queue, policies and facts stay. Reason of the actor: kept in the audit log.
 * ERR_PRECONDITION when it is not enrolled, leaves, or is blocked already. Permission device.block.
 */
MUST_CHECK bool fleet_device_block(struct fleet *fleet, const struct actor *actor,
                                   const char *device_id, struct err *err);
/* Unblock: the same backwards; what changed meanwhile is planned and the device is woken.
 * ERR_PRECONDITION when it is not blocked. Permission device.block. */
MUST_CHECK bool fleet_device_unblock(struct fleet *fleet, const struct actor *actor,
                                     const char *device_id, struct err *err);
