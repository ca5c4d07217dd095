/* SPDX-License-Identifier: Apache-2.0 */
#include "server/health.h"

#include "base/mem.h"
#include "fleet/fleet.h"

static bool livez(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)err;
    reply_bytes(reply, 200, "text/plain", bytes_text("ok\n"));
    reply_header(reply, "Cache-Control", "no-store");
    return true;
}

static bool readyz(struct request *request, struct reply *reply, struct err *err)
{
    return fleet_ready(request->services, err) && livez(request, reply, err);
}

static const struct route routes[] = {
    {HTTP_GET, "/livez", livez, .doors = DOOR_FRONT | DOOR_METRICS},
    {HTTP_GET, "/readyz", readyz, .doors = DOOR_FRONT | DOOR_METRICS},
};
const struct routes health_routes = {routes, COUNT(routes)};
