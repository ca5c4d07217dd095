/* SPDX-License-Identifier: Apache-2.0 */
/* The router: finds the route, runs its steps and handler, turns an error into a reply, once. */
#pragma once

#include "http/http.h"

struct router;

/* Tables must outlive the router. Two rows for the same method, door and path: bug(). */
struct router *router_make(void *owner, const struct routes *tables, size_t count);
/* The row for this request (params filled), or NULL with *allowed = methods of that path. */
const struct route *router_find(const struct router *router, struct request *request,
                                unsigned *allowed);
/* How much of a path as sent stands before the hole of a row with ROUTE_TAIL; 0: it has none. */
size_t router_tail(const struct router *router, const char *path);
/* Always fills reply: 404, 405 with Allow, 413, the handler's answer, or its rendered error;
 * logs each error once with the request id. */
void router_run(const struct router *router, struct request *request, struct reply *reply);
/* Try the glance of the route that was found. False: the request is to be run. */
bool router_glance(struct request *request, struct reply *reply);
