/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: items that devices fetch by themselves, and their change with commands. */
#pragma once

#include "fleet/act.h"

/* The device could not be told: it knows no declarations, or something went wrong. */
MUST_CHECK bool declare_failed(struct db *tx, const struct identity *identity,
                               const struct command_result *result, int64_t now, struct err *err);
/* An item came to be as it should: where another carrier may wait for that, what holds is planned
 * anew. *replan becomes true then, and is left alone otherwise. */
MUST_CHECK bool carriers_settle(struct db *tx, const struct identity *identity, int64_t now,
                                bool *replan, struct err *err);
