/* SPDX-License-Identifier: Apache-2.0 */
#include "server/health.h"

#include "base/mem.h"
#include "server/server_sql.h"
#include "server/wiring.h"

static bool livez(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)err;
    reply_bytes(reply, 200, "text/plain", bytes_text("ok\n"));
    reply_header(reply, "Cache-Control", "no-store");
    return true;
}

/* Whatever the part said is for the log: who asks here is not known. */
static bool part_fails(const struct request *request, const char *part, struct err *err)
{
    (void)request;
    return err_set(err, ERR_UNAVAILABLE, "the %s does not answer", part);
}

static bool readyz(struct request *request, struct reply *reply, struct err *err)
{
    const struct services *services = request->services;
    if (!db_run(services->db, request->owner, &SQL_SERVER_ANSWERS, NO_ARGS, NULL, err))
        return part_fails(request, "database", err);
    if (!keyd_ping(services->keyd, err))
        return part_fails(request, "key process", err);
    return livez(request, reply, err);
}

static const struct route routes[] = {
    {HTTP_GET, "/livez", livez, .doors = DOOR_FRONT | DOOR_METRICS},
    {HTTP_GET, "/readyz", readyz, .doors = DOOR_FRONT | DOOR_METRICS},
};
const struct routes health_routes = {routes, COUNT(routes)};
