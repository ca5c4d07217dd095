/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of the enrolment service: what a new device is told. */
#include "api/answer.h"
#include "api/resources.h"
#include "fleet/service.h"

static bool profile_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_service_profile_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, service_profile_fields, sizeof(struct service_profile), &list);
    return true;
}

static bool profile_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct service_profile profile;
    if (!fleet_service_profile_get(api_fleet(request), &actor, request->owner, request->params[0],
                                   &profile, err))
        return false;
    api_reply(request, reply, 200, service_profile_fields, &profile);
    return true;
}

/* What is not named stays as it is, or as it is in a new one. */
static bool profile_put(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct fleet *fleet = api_fleet(request);
    const char *name = request->params[0];
    struct service_profile wish = fleet_service_profile_new(name), saved;
    bool known = fleet_service_profile_get(fleet, &actor, request->owner, name, &wish, err);
    if (!known && err->kind != ERR_NOT_FOUND)
        return false;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_service_profile_save(fleet, &actor, request->owner, &wish, &saved, err))
        return false;
    api_reply(request, reply, known ? 200 : 201, service_profile_fields, &saved);
    return true;
}

static bool profile_delete(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    if (!fleet_service_profile_delete(api_fleet(request), &actor, request->params[0], err))
        return false;
    reply_empty(reply, 204);
    return true;
}

#define PROFILES API "/apple/enrolment-service/profiles"

static const struct route rows[] = {
    {HTTP_GET,
     PROFILES,
     profile_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "service_profile_list",
     .summary = "List the profiles of the enrolment service, by name",
     .permission = "apple.read",
     .gives = &service_profile_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     PROFILES "/{name}",
     profile_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "service_profile_get",
     .summary = "A profile of the enrolment service",
     .permission = "apple.read",
     .gives = &service_profile_fields},
    {HTTP_PUT,
     PROFILES "/{name}",
     profile_put,
     {need_account},
     DOOR_FRONT,
     16384,
     .name = "service_profile_put",
     .summary = "Make or change a profile of the enrolment service",
     .permission = "apple.write",
     .takes = &service_profile_fields,
     .gives = &service_profile_fields,
     .flags = ROUTE_CREATES},
    {HTTP_DELETE,
     PROFILES "/{name}",
     profile_delete,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "service_profile_delete",
     .summary = "Delete a profile that no device is to have",
     .permission = "apple.write"},
};
const struct routes service_profile_routes = {rows, COUNT(rows)};
