/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bootstrap tokens of Macs: sealed by the key process, given back to the enrolment that left them
 * and to nobody else. No account sees one; that there is one is shown with the device.
 */
#pragma once

#include "fleet/enrol.h"

struct leaving;

/* Durable when it returns true: the token replaces the one before; an empty one removes it. Each is
 * in the audit log. ERR_FORBIDDEN from an enrolment that is not complete, or that has ended. */
MUST_CHECK bool fleet_bootstrap_keep(struct fleet *fleet, const struct actor *actor,
                                     const struct identity *identity, struct bytes token,
                                     struct err *err);
/* What this enrolment left, plain: only for the reply. NO_BYTES when it left none. Each is in the
 * audit log before the token is opened. *out belongs to owner. */
MUST_CHECK bool fleet_bootstrap_give(struct fleet *fleet, const struct actor *actor, void *owner,
                                     const struct identity *identity, struct bytes *out,
                                     struct err *err);

/* ---- inside fleet ---- */
/* What has left has no use for it. One that may come back, because nothing is confirmed, keeps it.
 */
MUST_CHECK bool bootstrap_end(struct db *tx, const struct leaving *leaving, struct err *err);
