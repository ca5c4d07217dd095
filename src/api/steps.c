/* SPDX-License-Identifier: Apache-2.0 */
#include "api/steps.h"

#include "base/mem.h"
#include "base/text.h"
#include "fleet/account.h"

#define BEARER "Bearer "

struct fleet *api_fleet(const struct request *request)
{
    return request->services;
}

struct actor api_actor(const struct request *request)
{
    if (request->who)
        return *(const struct actor *)request->who;
    return fleet_public_actor(request->peer, request->id, request->now);
}

bool need_account(struct request *request, struct reply *reply, struct err *err)
{
    const char *header = request_header(request, "Authorization");
    struct actor *actor = mem_new(request->owner, struct actor);
    if (!header || !text_starts(header, BEARER)) {
        reply_header(reply, "WWW-Authenticate", "Bearer realm=\"muster\"");
        return err_set(err, ERR_UNAUTHENTICATED, "sign in first");
    }
    if (!fleet_token_actor(api_fleet(request), request->owner, header + sizeof(BEARER) - 1,
                           request->now, actor, err)) {
        if (err->kind == ERR_UNAUTHENTICATED)
            reply_header(reply, "WWW-Authenticate",
                         "Bearer realm=\"muster\", error=\"invalid_token\"");
        return false;
    }
    actor->request_id = request->id;
    request->who = actor;
    return !request->route->permission || fleet_need(actor, request->route->permission, err);
}
