/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Automated enrolment: a device that its maker certified, and that the enrolment service named, is
 * let in without a link and belongs to the organisation; and the end of its assistant's waiting.
 */
#pragma once

#include "fleet/enrol.h"
#include "model/service.h"

struct machine { /* proved by the device's own certificate; the last ones may be NULL */
    const char *udid, *serial, *product, *os_version;
};
/* The profile that this device should have; one as new ones are, where it has none. ERR_FORBIDDEN,
 * noted as a refusal, when the service named no such device. */
MUST_CHECK bool fleet_automated_terms(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const struct machine *machine, struct service_profile *out,
                                      struct err *err);
/* Let it in: enrolment and challenge exist when this returns true, and only this device can use
 * them. A device that is managed already may come in again; one that is blocked, or whose UDID is
 * that of a device with another serial number, may not: ERR_FORBIDDEN. */
MUST_CHECK bool fleet_automated_start(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const struct machine *machine, const char *channel,
                                      struct enrolment_start *out, struct err *err);
/* A device that waits is let go on when all that holds for it was applied or refused, at the
 * latest after a quarter of an hour. *again_at: when to look again; 0: it waits no more. */
MUST_CHECK bool fleet_setup_step(struct fleet *fleet, const char *enrolment_id, int64_t now,
                                 int64_t *again_at, struct err *err);
