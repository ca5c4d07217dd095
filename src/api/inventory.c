/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a device. */
#include "fleet/inventory.h"
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"

static bool device_inventory(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct list list;
    if (!api_device(request, &device, err) ||
        !fleet_inventory_lists(api_fleet(request), &actor, request->owner, device.id, &list, err))
        return false;
    api_reply_list(request, reply, inventory_list_fields, sizeof(struct inventory_list), &list);
    return true;
}

static bool things(struct request *request, enum inventory_kind kind, struct reply *reply,
                   struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device;
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) || !api_device(request, &device, err) ||
        !fleet_inventory_page(api_fleet(request), &actor, request->owner, device.id, kind, &page,
                              &list, err))
        return false;
    api_reply_list(request, reply, thing_fields, sizeof(struct thing), &list);
    return true;
}

static bool device_apps(struct request *request, struct reply *reply, struct err *err)
{
    return things(request, INVENTORY_APP, reply, err);
}

static bool device_certificates(struct request *request, struct reply *reply, struct err *err)
{
    return things(request, INVENTORY_CERTIFICATE, reply, err);
}

static bool device_profiles(struct request *request, struct reply *reply, struct err *err)
{
    return things(request, INVENTORY_PROFILE, reply, err);
}

#define THINGS(word, function, told)                                                               \
    {                                                                                              \
        HTTP_GET, API "/devices/{device}/" word, function, {need_account}, DOOR_FRONT, 0,          \
            .name = #function, .summary = (told), .permission = "device.read",                     \
            .gives = &thing_fields, .asks = &page_fields, .flags = ROUTE_GIVES_LIST                \
    }

static const struct route rows[] = {
    {HTTP_GET,
     API "/devices/{device}/inventory",
     device_inventory,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_inventory",
     .summary = "Which lists a device told, and when; a list that is missing is unknown, not empty",
     .permission = "device.read",
     .gives = &inventory_list_fields,
     .flags = ROUTE_GIVES_LIST},
    THINGS("apps", device_apps, "The apps on a device, with what management knows of them"),
    THINGS("installed-certificates", device_certificates, "The certificates on a device"),
    THINGS("profiles", device_profiles, "The configuration profiles on a device"),
};
const struct routes inventory_routes = {rows, COUNT(rows)};
