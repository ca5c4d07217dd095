/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the ports of this server are still free. */
#pragma once

#include "server/options.h"

/* Every address and port that the server and its own edge will listen at. ERR_PRECONDITION with a
 * remedy: another program listens there. What else may fail shows when it is opened. */
MUST_CHECK bool ports_check(const struct options *options, struct err *err);
/* The same for so long, since what was ended a moment ago may still hold a port. */
MUST_CHECK bool ports_wait(const struct options *options, int64_t milliseconds, struct err *err);
