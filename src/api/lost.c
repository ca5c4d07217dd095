/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a device for bad days: where it was, and what opens its activation lock. */
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"
#include "fleet/escrow.h"
#include "fleet/position.h"

static bool device_position(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct position position;
    /* the permission first: what a device is called is not for everybody */
    if (!fleet_need(&actor, "device.locate", err) || !api_device(request, &device, err) ||
        !fleet_position_get(api_fleet(request), &actor, request->owner, device.id, &position, err))
        return false;
    api_reply(request, reply, 200, position_fields, &position);
    return true;
}

static bool device_bypass_code(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct secret_view secret;
    if (!fleet_need(&actor, "device.bypass_code", err) || !api_device(request, &device, err) ||
        !fleet_bypass_code_get(api_fleet(request), &actor, request->owner, device.id, &secret, err))
        return false;
    api_reply(request, reply, 200, secret_fields, &secret);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/devices/{device}/position",
     device_position,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_position",
     .summary = "Where a lost device was when it was last asked; each look is in the audit log",
     .permission = "device.locate",
     .gives = &position_fields},
    {HTTP_GET,
     API "/devices/{device}/bypass-code",
     device_bypass_code,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_bypass_code",
     .summary = "The code that opens the activation lock; each look is in the audit log",
     .permission = "device.bypass_code",
     .gives = &secret_fields},
};
const struct routes lost_routes = {rows, COUNT(rows)};
