/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewal of identities.  In the last part of its life (lifetimes.renew_percent) an identity is
 * renewed at a moment of its own, so that a fleet that enrolled in one day does not renew in one.
 * The device gets its profile again with a new challenge of the same enrolment and shows itself
 * with a new certificate; the one before goes on until the device speaks with the new one.
 */
#pragma once

#include "fleet/enrol.h"

/* From when on an identity may be renewed, and when this enrolment's turn is: always the same
 * moment between the opening and the middle of the window. Seconds UTC. */
int64_t renewal_opens_at(const struct fleet_settings *wishes, int64_t not_before,
                         int64_t not_after);
int64_t renewal_planned_at(const struct fleet_settings *wishes, const char *enrolment_id,
                           int64_t not_before, int64_t not_after);

/* The job: queue the renewal of at most `limit` identities whose turn it is; *count tells how many
 * were looked at. Those that were tried before come again with growing pauses. */
MUST_CHECK bool fleet_renewals_queue(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                                     struct err *err);

/* The device fetches its renewal: a new challenge for the same enrolment, older unused ones end.
 * *topic is the one that the device has. ERR_PRECONDITION when the enrolment is not active. */
MUST_CHECK bool fleet_renewal_start(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const struct identity *identity, struct enrolment_start *out,
                                    char **topic, struct err *err);

/*
 * A device goes on to speak with this certificate: to be called for everything that it says but
 * check-ins, while identity->is_contested. With a newer one than it had: those before are revoked
 * (superseded). With the one before, although it had shown a newer one: nothing, unless the newer
 * one was silent for PUT_BACK_SECONDS; then the newer is revoked, the push address before is taken
 * again, and the renewal comes again.
 */
#define PUT_BACK_SECONDS (4 * 3600) /* longer than the edge keeps a connection open */
MUST_CHECK bool fleet_identity_used(struct fleet *fleet, const struct actor *actor,
                                    const struct identity *identity, struct err *err);
