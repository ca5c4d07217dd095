/* SPDX-License-Identifier: Apache-2.0 */
/* The push certificate of Apple devices. */
#include "fleet/push.h"

#include "api/answer.h"
#include "api/resources.h"
#include "codec/base64.h"

#define PEM_MAX 65536 /* bytes of an uploaded certificate */

struct push_view {
    char *state, *topic, *account, *pause_reason, *request, *next_steps;
    int64_t not_after, paused_at, unreachable;
};
static const struct field push_view_rows[] = {
    TEXT_FIELD(struct push_view, state, FIELD_READ_ONLY,
               .help = "none, requested, active, paused or expired"),
    TEXT_FIELD(struct push_view, topic, FIELD_READ_ONLY, .help = "Topic of the certificate"),
    TIME_FIELD(struct push_view, not_after, FIELD_READ_ONLY, .help = "When it ends"),
    TEXT_FIELD(struct push_view, account, FIELD_READ_ONLY,
               .help = "The Apple account that has to renew it"),
    TIME_FIELD(struct push_view, paused_at, FIELD_READ_ONLY,
               .help = "Since when the push service does not take it; the queue is kept"),
    TEXT_FIELD(struct push_view, pause_reason, FIELD_READ_ONLY, .help = "Why it is paused"),
    INTEGER_FIELD(struct push_view, unreachable, FIELD_READ_ONLY,
                  .help = "Devices that enrolled before it: no push until they enrol again"),
    TEXT_FIELD(struct push_view, request, FIELD_READ_ONLY,
               .help = "The certificate request that waits for Apple, PEM"),
    TEXT_FIELD(struct push_view, next_steps, FIELD_READ_ONLY,
               .help = "What to do with the request, a line for each step"),
};
static const struct fields push_view_fields = FIELDS(push_view_rows);

/* Nobody but Apple and its vendors can do what stands between request and certificate. */
static char *next_steps(void *owner, const struct push_certificate_view *view)
{
    const char *who = view->account && *view->account ? view->account : "the account that made it";
    const char *where =
        view->topic ? mem_format(owner,
                                 "as %s and choose Renew beside the certificate that you have (a "
                                 "new one would not reach the devices that are enrolled)",
                                 who)
                    : "with an Apple account of the organisation, not of a person";
    return mem_format(
        owner,
        "1. Let a vendor sign the request: yourselves, with the MDM CSR certificate "
        "that Apple gives to companies with a developer account who ask for it, or "
        "mdmcert.download to try it.\n"
        "2. Sign in at https://identity.apple.com/pushcert %s, upload what the vendor "
        "gave you and download the certificate.\n"
        "3. Bring it in: muster apple push-certificate import FILE.",
        where);
}

static bool reply_view(const struct request *request, struct reply *reply, int status,
                       struct err *err)
{
    struct actor actor = api_actor(request);
    struct push_certificate_view view;
    if (!fleet_push_get(api_fleet(request), &actor, request->owner, &view, err))
        return false;
    struct push_view shown = {.state = view.state,
                              .topic = view.topic,
                              .account = view.account,
                              .paused_at = view.paused_at,
                              .pause_reason = view.pause_reason,
                              .not_after = view.not_after,
                              .unreachable = view.unreachable};
    if (view.request.data) {
        shown.request = pem_encode(request->owner, "CERTIFICATE REQUEST", view.request);
        shown.next_steps = next_steps(request->owner, &view);
    }
    api_reply(request, reply, status, push_view_fields, &shown);
    return true;
}

static bool push_get(struct request *request, struct reply *reply, struct err *err)
{
    return reply_view(request, reply, 200, err);
}

struct push_wish {
    char *email;
};
static const struct field push_wish_rows[] = {
    TEXT_FIELD(struct push_wish, email, 0, .highest = 200,
               .help = "The Apple account that will renew the certificate; kept from the last one"),
};
static const struct fields push_wish_fields = FIELDS(push_wish_rows);

static bool push_request(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct push_wish wish = {0};
    struct bytes made;
    return api_body(request, &wish, NULL, err) &&
           fleet_push_request(api_fleet(request), &actor, request->owner, wish.email, &made, err) &&
           reply_view(request, reply, 201, err);
}

struct push_upload {
    char *certificate;
};
static const struct field push_upload_rows[] = {
    TEXT_FIELD(struct push_upload, certificate, FIELD_REQUIRED, .lowest = 1, .highest = PEM_MAX,
               .help = "The certificate from Apple, PEM"),
};
static const struct fields push_upload_fields = FIELDS(push_upload_rows);

static bool push_import(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct push_upload upload = {0};
    struct bytes der;
    return api_body(request, &upload, NULL, err) &&
           pem_decode(request->owner, bytes_text(upload.certificate), "CERTIFICATE", PEM_MAX, &der,
                      err) &&
           fleet_push_import(api_fleet(request), &actor, der, err) &&
           reply_view(request, reply, 200, err);
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/apple/push-certificate",
     push_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "push_certificate_get",
     .summary = "State of the push certificate",
     .permission = "apple.read",
     .gives = &push_view_fields},
    {HTTP_POST,
     API "/apple/push-certificate/request",
     push_request,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "push_certificate_request",
     .summary = "Make a key and the certificate request for Apple",
     .permission = "apple.write",
     .takes = &push_wish_fields,
     .gives = &push_view_fields,
     .flags = ROUTE_CREATES},
    {HTTP_PUT,
     API "/apple/push-certificate",
     push_import,
     {need_account},
     DOOR_FRONT,
     131072,
     .name = "push_certificate_import",
     .summary = "Import the certificate that Apple made",
     .permission = "apple.write",
     .takes = &push_upload_fields,
     .gives = &push_view_fields},
};
const struct routes push_routes = {rows, COUNT(rows)};
