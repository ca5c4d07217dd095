/* SPDX-License-Identifier: Apache-2.0 */
/* Requests without a socket: for handler tests. */
#pragma once

#include "http/router.h"

/* Fills what is unset (id, now, owner must be given) and runs the router. target may hold a
 * query string. The reply belongs to request->owner. */
void loopback_run(const struct router *router, struct request *request, const char *target,
                  struct reply *reply);
