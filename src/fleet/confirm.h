/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what destroys or locks out is not done long after it was asked for, unless
 * somebody says yes again. */
#pragma once

#include "fleet/act.h"

/* *held: the command, about to be delivered the first time, waits for a second yes from now on. */
MUST_CHECK bool stale_hold(struct db *tx, const struct fleet *fleet, const struct command *command,
                           int64_t now, bool *held, struct err *err);
