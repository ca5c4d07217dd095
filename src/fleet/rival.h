/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what becomes of a renewal that did not come about. */
#pragma once

#include "fleet/enrol.h"
#include "model/command.h"

/* The device refused the command (or could not be given it): what was certified meanwhile is
 * revoked, the challenge ends, an event says why. */
MUST_CHECK bool renewal_failed(struct db *tx, const struct identity *identity,
                               const struct command *command, const char *reason, int64_t now,
                               struct err *err);
/* The device says that it did it: an event unless it speaks with a new certificate, or has shown
 * one. */
MUST_CHECK bool renewal_finished(struct db *tx, const struct identity *identity,
                                 const struct command *command, int64_t now, struct err *err);
