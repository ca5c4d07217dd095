/* SPDX-License-Identifier: Apache-2.0 */
/* How far a device can be believed. */
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"
#include "fleet/attest.h"

static bool device_integrity(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct integrity integrity;
    if (!api_device(request, &device, err) ||
        !fleet_integrity_get(api_fleet(request), &actor, request->owner, device.id, &integrity,
                             err))
        return false;
    api_reply(request, reply, 200, integrity_fields, &integrity);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/devices/{device}/integrity",
     device_integrity,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_integrity",
     .summary = "How far a device can be believed: attested, claimed or unknown, and why",
     .permission = "device.read",
     .gives = &integrity_fields},
};
const struct routes integrity_routes = {rows, COUNT(rows)};
