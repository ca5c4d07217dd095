/* SPDX-License-Identifier: Apache-2.0 */
/* People of a Mac, as the Mac tells of them. */
#include "fleet/user_channel.h"

#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"

static bool user_channel_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct list list;
    if (!api_device(request, &device, err) ||
        !fleet_user_channel_list(api_fleet(request), &actor, request->owner, device.id, &list, err))
        return false;
    api_reply_list(request, reply, user_channel_fields, sizeof(struct user_channel), &list);
    return true;
}

static bool user_channel_sync(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct user_channel channel;
    if (!api_body_reason(request, &actor, err) || !fleet_need(&actor, "device.sync", err) ||
        !api_device(request, &device, err) ||
        !fleet_user_channel_sync(api_fleet(request), &actor, request->owner, device.id,
                                 request->params[1], &channel, err))
        return false;
    api_reply(request, reply, 200, user_channel_fields, &channel);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/devices/{device}/users",
     user_channel_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "user_channel_list",
     .summary = "The people of a Mac that have a channel of their own",
     .permission = "device.read",
     .gives = &user_channel_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/devices/{device}/users/{channel}/sync",
     user_channel_sync,
     {need_account},
     DOOR_FRONT,
     16384,
     .name = "user_channel_sync",
     .summary = "Ask the channel of one person for its profiles, and wake it",
     .permission = "device.sync",
     .takes = &reason_fields,
     .gives = &user_channel_fields},
};
const struct routes user_channel_routes = {rows, COUNT(rows)};
