/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment links. */
#include "api/answer.h"
#include "api/resources.h"
#include "fleet/enrol.h"

struct link_made {
    char *id, *url, *name, *device_id;
    int ownership;
    int64_t expires_at;
};
static const struct field link_made_rows[] = {
    TEXT_FIELD(struct link_made, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct link_made, url, FIELD_READ_ONLY,
               .help = "To be opened on the device: works once, shown this once"),
    TEXT_FIELD(struct link_made, name, FIELD_READ_ONLY, .help = "A note for people"),
    ENUM_FIELD(struct link_made, ownership, FIELD_READ_ONLY, ownership_names,
               .help = "Whose the device will be"),
    TEXT_FIELD(struct link_made, device_id, FIELD_READ_ONLY,
               .help = "The enrolled device that it is for"),
    TIME_FIELD(struct link_made, expires_at, FIELD_READ_ONLY, .help = "When it ends"),
};
static const struct fields link_made_fields = FIELDS(link_made_rows);

static const struct field link_wish_rows[] = {
    TEXT_FIELD(struct enrolment_link, name, 0, .highest = 100, .help = "A note for people"),
    ENUM_FIELD(struct enrolment_link, ownership, 0, ownership_names,
               .help =
                   "Whose the device will be; unsaid: as the device that it is for, else company"),
    TEXT_AS("device", struct enrolment_link, device_id, 0, .highest = 255,
            .help = "For an enrolled device to enrol again: its id, serial number, UDID or name"),
    TIME_FIELD(struct enrolment_link, expires_at, 0, .help = "When it ends; a day where absent"),
};
static const struct fields link_wish_fields = FIELDS(link_wish_rows);

static bool link_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct enrolment_link wish = {0}, link;
    char *token;
    wish.ownership = OWNERSHIP_UNSAID;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_link_create(api_fleet(request), &actor, request->owner, &wish, &link, &token, err))
        return false;
    struct link_made made = {.id = link.id,
                             .name = link.name,
                             .ownership = link.ownership,
                             .device_id = link.device_id,
                             .expires_at = link.expires_at,
                             .url = mem_format(request->owner, "%s/enrol/%s",
                                               api_fleet(request)->settings->front_url, token)};
    api_reply(request, reply, 201, link_made_fields, &made);
    return true;
}

static bool link_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_link_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, enrolment_link_fields, sizeof(struct enrolment_link), &list);
    return true;
}

static bool link_revoke(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    if (!fleet_link_revoke(api_fleet(request), &actor, request->params[0], err))
        return false;
    reply_empty(reply, 204);
    return true;
}

static const struct route rows[] = {
    {HTTP_POST,
     API "/enrolment-links",
     link_create,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "link_create",
     .summary = "Make a one-time enrolment link",
     .permission = "enrolment.create",
     .takes = &link_wish_fields,
     .gives = &link_made_fields,
     .flags = ROUTE_CREATES},
    {HTTP_GET,
     API "/enrolment-links",
     link_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "link_list",
     .summary = "List enrolment links, newest first",
     .permission = "enrolment.read",
     .gives = &enrolment_link_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_DELETE,
     API "/enrolment-links/{id}",
     link_revoke,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "link_revoke",
     .summary = "Revoke an enrolment link that was not used",
     .permission = "enrolment.create"},
};
const struct routes link_routes = {rows, COUNT(rows)};
