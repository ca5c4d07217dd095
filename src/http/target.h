/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a request line: path and query, decoded and bounded.  Pure. */
#pragma once

#include "http/router.h"

/*
 * "/a/b?c=d" into path (decoded) and query_raw; both belong to request->owner.  Only the origin
 * form is accepted (RFC 9112 3.2.1).  Empty and dot segments, and a slash, a NUL or a control
 * character behind a percent sign are refused: nobody behind us may read the path differently.
 * What stands behind the prefix of a row with ROUTE_TAIL is kept as sent, but for its slashes.
 */
MUST_CHECK bool target_parse(const struct router *router, struct request *request,
                             const char *target, struct err *err);
