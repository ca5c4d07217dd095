/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: with devices, and with the house itself. */
#include "api/answer.h"
#include "api/lookup.h"
#include "api/resources.h"
#include "base/clock.h"
#include "fleet/device.h"
#include "model/account.h"

#define KIND_LONGEST 60

struct event_query {
    char *kind, *device, *cursor;
    int64_t since, limit;
};
#define KIND_ASKED                                                                                 \
    TEXT_FIELD(struct event_query, kind, 0, .lowest = 1, .highest = KIND_LONGEST,                  \
               .help = "Only this kind: certificate.waiting, push_certificate.expires, ...")
#define PAGE_ASKED                                                                                 \
    TIME_FIELD(struct event_query, since, 0, .help = "Only from this time on"),                    \
        INTEGER_FIELD(struct event_query, limit, 0, .lowest = 1, .highest = LIST_LIMIT_MAX,        \
                      .help = "How many rows at most"),                                            \
        TEXT_FIELD(struct event_query, cursor, 0, .highest = 200,                                  \
                   .help = "`next` of the page before this one")
static const struct field device_event_rows[] = {KIND_ASKED, PAGE_ASKED};
static const struct fields device_event_fields = FIELDS(device_event_rows);
static const struct field event_query_rows[] = {
    KIND_ASKED,
    TEXT_FIELD(struct event_query, device, 0,
               .help = "Only of this device: id, serial number, UDID or name"),
    PAGE_ASKED,
};
static const struct fields event_query_fields = FIELDS(event_query_rows);

static bool events(struct request *request, struct reply *reply, const char *device_id,
                   struct err *err)
{
    struct actor actor = api_actor(request);
    struct event_filter filter = {device_id, request_query(request, "kind"), 0};
    const char *since = request_query(request, "since");
    struct page page;
    struct list list;
    if ((since && !time_parse(since, &filter.since, err)) || !api_page(request, &page, err) ||
        !fleet_event_list(api_fleet(request), &actor, request->owner, &filter, &page, &list, err))
        return false;
    api_reply_list(request, reply, event_fields, sizeof(struct event), &list);
    return true;
}

static bool event_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct device device = {0};
    const char *which = request_query(request, "device");
    if (which && !fleet_device_get(api_fleet(request), &actor, request->owner, which, &device, err))
        return false;
    return events(request, reply, device.id, err);
}

static bool device_events(struct request *request, struct reply *reply, struct err *err)
{
    struct device device;
    return api_device(request, &device, err) && events(request, reply, device.id, err);
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/events",
     event_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "event_list",
     .summary = "What happened, with devices and without, newest first",
     .permission = "device.read",
     .gives = &event_fields,
     .asks = &event_query_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/devices/{device}/events",
     device_events,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "device_events",
     .summary = "What happened with a device",
     .permission = "device.read",
     .gives = &event_fields,
     .asks = &device_event_fields,
     .flags = ROUTE_GIVES_LIST},
};
const struct routes event_routes = {rows, COUNT(rows)};
