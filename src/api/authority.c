/* SPDX-License-Identifier: Apache-2.0 */
/* The generations of the authority, and how far the devices are from one to the next. */
#include "fleet/authority.h"

#include "api/answer.h"
#include "api/resources.h"

static bool authority_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct list list;
    if (!fleet_authority_list(api_fleet(request), &actor, request->owner, &list, err))
        return false;
    api_reply_list(request, reply, authority_fields, sizeof(struct authority_record), &list);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/authorities",
     authority_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "authority_list",
     .summary = "List the generations of the authority, with what lives of each",
     .permission = "certificate.read",
     .gives = &authority_fields,
     .flags = ROUTE_GIVES_LIST},
};
const struct routes authority_routes = {rows, COUNT(rows)};
