/* SPDX-License-Identifier: Apache-2.0 */
/* Apple's device enrolment service: the connection with it, and the devices that it names. */
#include "fleet/service.h"

#include "api/answer.h"
#include "api/resources.h"
#include "channel/channel.h"
#include "codec/base64.h"

#define TOKEN_MAX 65536 /* bytes of an uploaded token */

struct shown { /* of the connection */
    char *state, *public_key, *server, *organization, *account, *problem, *remedy;
    int64_t expires_at, imported_at, synced_at, tried_at, devices;
};
#define TOLD(member, text) TEXT_FIELD(struct shown, member, FIELD_READ_ONLY, .help = (text))
#define AT(member, text) TIME_FIELD(struct shown, member, FIELD_READ_ONLY, .help = (text))
static const struct field shown_rows[] = {
    TOLD(state, "none, requested (a key, no token), active or expired"),
    TOLD(public_key, "To be uploaded at Apple: a certificate, PEM"),
    TOLD(server, "The name of this server at Apple"),
    TOLD(organization, "The organisation there"),
    TOLD(account, "The account that made the token"),
    AT(expires_at, "When the token ends"),
    AT(imported_at, "When it was imported"),
    AT(synced_at, "When the devices were last looked at with success"),
    AT(tried_at, "When that was tried last"),
    TOLD(problem, "Why that failed"),
    TOLD(remedy, "What helps"),
    INTEGER_FIELD(struct shown, devices, FIELD_READ_ONLY, .help = "How many devices it names"),
};
static const struct fields shown_fields = FIELDS(shown_rows);

static bool reply_view(const struct request *request, struct reply *reply, int status,
                       struct err *err)
{
    struct actor actor = api_actor(request);
    struct service_view view;
    if (!fleet_service_get(api_fleet(request), &actor, request->owner, &view, err))
        return false;
    const struct service *service = &view.service;
    struct shown shown = {.state = mem_text(request->owner, view.state),
                          .server = service->server_name,
                          .organization = service->organization,
                          .account = service->account,
                          .expires_at = service->expires_at,
                          .imported_at = service->imported_at,
                          .synced_at = service->synced_at,
                          .tried_at = service->tried_at,
                          .problem = service->problem,
                          .remedy = service->remedy,
                          .devices = view.device_count};
    if (service->certificate.data)
        shown.public_key = pem_encode(request->owner, "CERTIFICATE", service->certificate);
    api_reply(request, reply, status, shown_fields, &shown);
    return true;
}

static bool service_get(struct request *request, struct reply *reply, struct err *err)
{
    return reply_view(request, reply, 200, err);
}

static bool service_key(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct bytes certificate;
    return fleet_service_key(api_fleet(request), &actor, request->owner, &certificate, err) &&
           reply_view(request, reply, 200, err);
}

struct upload {
    char *token;
    bool replace;
};
static const struct field upload_rows[] = {
    TEXT_FIELD(struct upload, token, FIELD_REQUIRED, .lowest = 1, .highest = TOKEN_MAX,
               .help = "The server token from Apple (.p7m), as text"),
    BOOLEAN_FIELD(struct upload, replace, 0,
                  .help = "It is of another server: forget the devices of the one before"),
};
static const struct fields upload_fields = FIELDS(upload_rows);

static bool service_import(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct upload upload = {0};
    return api_body(request, &upload, NULL, err) &&
           channel_apple.service_import(api_fleet(request), &actor, bytes_text(upload.token),
                                        upload.replace, err) &&
           reply_view(request, reply, 200, err);
}

static bool service_sync(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    return fleet_service_sync(api_fleet(request), &actor, err) &&
           reply_view(request, reply, 200, err);
}

/* ---- devices ---- */

static bool device_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_service_device_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, service_device_fields, sizeof(struct service_device), &list);
    return true;
}

struct assigning {
    char *profile;
};
static const struct field assigning_rows[] = {
    TEXT_FIELD(struct assigning, profile, 0, .highest = 100,
               .help = "The profile that the device shall have; absent: none"),
};
static const struct fields assigning_fields = FIELDS(assigning_rows);

static bool device_assign(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct assigning wish = {0};
    struct service_device device;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_service_device_assign(api_fleet(request), &actor, request->owner, request->params[0],
                                     wish.profile, &device, err))
        return false;
    api_reply(request, reply, 200, service_device_fields, &device);
    return true;
}

#define SERVICE API "/apple/enrolment-service"

static const struct route rows[] = {
    {HTTP_GET,
     SERVICE,
     service_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "enrolment_service_get",
     .summary = "State of the connection with Apple's enrolment service",
     .permission = "apple.read",
     .gives = &shown_fields},
    {HTTP_POST,
     SERVICE "/public-key",
     service_key,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "enrolment_service_key",
     .summary = "The public key for Apple's enrolment service, made the first time",
     .permission = "apple.write",
     .gives = &shown_fields},
    {HTTP_PUT,
     SERVICE "/token",
     service_import,
     {need_account},
     DOOR_FRONT,
     131072,
     .name = "enrolment_service_import",
     .summary = "Import the server token that Apple made",
     .permission = "apple.write",
     .takes = &upload_fields,
     .gives = &shown_fields},
    {HTTP_POST,
     SERVICE "/sync",
     service_sync,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "enrolment_service_sync",
     .summary = "Look at the service now; the answer tells what is known so far",
     .permission = "apple.write",
     .gives = &shown_fields},
    {HTTP_GET,
     SERVICE "/devices",
     device_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "service_device_list",
     .summary = "List the devices that the service names, by serial number",
     .permission = "apple.read",
     .gives = &service_device_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_PUT,
     SERVICE "/devices/{serial}",
     device_assign,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "service_device_assign",
     .summary = "Choose the profile of a device",
     .permission = "apple.write",
     .takes = &assigning_fields,
     .gives = &service_device_fields},
};
const struct routes service_routes = {rows, COUNT(rows)};
