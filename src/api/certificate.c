/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that we issued. */
#include "fleet/certificate.h"
#include "base/clock.h"

#include "api/answer.h"
#include "api/resources.h"

struct certificate_query {
    char *device, *q, *purpose;
    int state;
    int64_t ends_before;
    int64_t limit;
    char *cursor;
};
static const struct field certificate_query_rows[] = {
    TEXT_FIELD(struct certificate_query, device, 0, .help = "Only of this device id"),
    TEXT_FIELD(struct certificate_query, q, 0,
               .help = "Part of the subject or of the device's name, or a serial number"),
    ENUM_FIELD(struct certificate_query, state, 0, certificate_state_names,
               .help = "Only in this state"),
    TEXT_FIELD(struct certificate_query, purpose, 0, .help = "mdm-identity or network"),
    TIME_FIELD(struct certificate_query, ends_before, 0, .help = "Only those that end before"),
    INTEGER_FIELD(struct certificate_query, limit, 0, .lowest = 1, .highest = LIST_LIMIT_MAX,
                  .help = "How many rows at most"),
    TEXT_FIELD(struct certificate_query, cursor, 0, .help = "`next` of the page before this one"),
};
static const struct fields certificate_query_fields = FIELDS(certificate_query_rows);

static bool certificate_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct certificate_filter filter = {.device_id = request_query(request, "device"),
                                        .text = request_query(request, "q"),
                                        .state = request_query(request, "state"),
                                        .purpose = request_query(request, "purpose")};
    const char *before = request_query(request, "ends_before");
    struct page page;
    struct list list;
    if (before && !time_parse(before, &filter.ends_before, err))
        return err_at(err, ERR_BAD_INPUT, "?ends_before", "not a time");
    if (!api_page(request, &page, err) ||
        !fleet_certificate_list(api_fleet(request), &actor, request->owner, &filter, &page, &list,
                                err))
        return false;
    api_reply_list(request, reply, certificate_fields, sizeof(struct certificate_record), &list);
    return true;
}

static bool certificate_calendar(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct list list;
    if (!fleet_certificate_calendar(api_fleet(request), &actor, request->owner, &list, err))
        return false;
    api_reply_list(request, reply, certificate_ending_fields, sizeof(struct certificate_ending),
                   &list);
    return true;
}

static const char *const yes_names[] = {"false", "true", NULL};
struct certificate_request_query {
    char *device;
    int refused;
    int64_t limit;
    char *cursor;
};
static const struct field certificate_request_query_rows[] = {
    TEXT_FIELD(struct certificate_request_query, device, 0, .help = "Only of this device id"),
    ENUM_FIELD(struct certificate_request_query, refused, 0, yes_names,
               .help = "true: only those of which a request was refused"),
    INTEGER_FIELD(struct certificate_request_query, limit, 0, .lowest = 1,
                  .highest = LIST_LIMIT_MAX, .help = "How many rows at most"),
    TEXT_FIELD(struct certificate_request_query, cursor, 0,
               .help = "`next` of the page before this one"),
};
static const struct fields certificate_request_query_fields =
    FIELDS(certificate_request_query_rows);

static bool certificate_request_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    const char *refused = request_query(request, "refused");
    int only = refused ? name_find(yes_names, refused) : 0;
    if (only < 0)
        return err_at(err, ERR_BAD_INPUT, "?refused", "refused is true or false");
    if (!api_page(request, &page, err) ||
        !fleet_certificate_request_list(api_fleet(request), &actor, request->owner,
                                        request_query(request, "device"), only == 1, &page, &list,
                                        err))
        return false;
    api_reply_list(request, reply, certificate_request_fields,
                   sizeof(struct certificate_request_record), &list);
    return true;
}

static bool certificate_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct certificate_record record;
    if (!fleet_certificate_get(api_fleet(request), &actor, request->owner, request->params[0],
                               &record, err))
        return false;
    api_reply(request, reply, 200, certificate_fields, &record);
    return true;
}

static bool certificate_trace(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct list list;
    if (!fleet_certificate_trace(api_fleet(request), &actor, request->owner, request->params[0],
                                 &list, err))
        return false;
    api_reply_list(request, reply, certificate_step_fields, sizeof(struct certificate_step), &list);
    return true;
}

struct revocation_wish {
    int reason;
    char *note;
};
/* The beginning of enum revocation_reason: a hold comes with blocking the device alone. */
static const char *const given_reasons[] = {
    "unspecified", "key_compromise",         "affiliation_changed",
    "superseded",  "cessation_of_operation", NULL};
_Static_assert(COUNT(given_reasons) - 1 == REASON_HOLD, "all that are given by hand");
static const struct field revocation_wish_rows[] = {
    ENUM_FIELD(struct revocation_wish, reason, 0, given_reasons, .help = "Why"),
    TEXT_FIELD(struct revocation_wish, note, 0, .highest = 500, .help = "For the audit log"),
};
static const struct fields revocation_wish_fields = FIELDS(revocation_wish_rows);

static bool certificate_revoke(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct revocation_wish wish = {0};
    struct certificate_record record;
    if (!api_body(request, &wish, NULL, err))
        return false;
    actor.reason = wish.note;
    if (!fleet_certificate_revoke(api_fleet(request), &actor, request->params[0],
                                  (enum revocation_reason)wish.reason, err) ||
        !fleet_certificate_get(api_fleet(request), &actor, request->owner, request->params[0],
                               &record, err))
        return false;
    api_reply(request, reply, 200, certificate_fields, &record);
    return true;
}

static const struct field list_about_rows[] = {
    INTEGER_FIELD(struct revocation_list, number, FIELD_READ_ONLY, .help = "CRL number"),
    TIME_FIELD(struct revocation_list, this_update, FIELD_READ_ONLY, .help = "When it was made"),
    TIME_FIELD(struct revocation_list, next_update, FIELD_READ_ONLY,
               .help = "Until when relying parties take it"),
    INTEGER_FIELD(struct revocation_list, entries, FIELD_READ_ONLY,
                  .help = "Certificates that it names"),
    INTEGER_FIELD(struct revocation_list, limit, FIELD_READ_ONLY, .help = "How many it can name"),
};
static const struct fields list_about_fields = FIELDS(list_about_rows);

static bool revocation_list_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct revocation_list list;
    if (!fleet_revocation_list_about(api_fleet(request), &actor, request->owner, &list, err))
        return false;
    api_reply(request, reply, 200, list_about_fields, &list);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/certificates",
     certificate_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "certificate_list",
     .summary = "List certificates, newest first",
     .permission = "certificate.read",
     .gives = &certificate_fields,
     .asks = &certificate_query_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/certificates/{certificate}",
     certificate_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "certificate_get",
     .summary = "One certificate, by id or serial number",
     .permission = "certificate.read",
     .gives = &certificate_fields},
    {HTTP_GET,
     API "/certificates/{certificate}/trace",
     certificate_trace,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "certificate_trace",
     .summary = "The seven steps of its making, or of a request's, expected against asked",
     .permission = "certificate.read",
     .gives = &certificate_step_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/certificate-calendar",
     certificate_calendar,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "certificate_calendar",
     .summary = "How many certificates end in which month",
     .permission = "certificate.read",
     .gives = &certificate_ending_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_GET,
     API "/certificate-requests",
     certificate_request_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "certificate_request_list",
     .summary = "List what certificates were asked for or may be, refused requests among them",
     .permission = "certificate.read",
     .gives = &certificate_request_fields,
     .asks = &certificate_request_query_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/certificates/{certificate}/revocation",
     certificate_revoke,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "certificate_revoke",
     .summary = "Revoke a certificate",
     .permission = "certificate.revoke",
     .takes = &revocation_wish_fields,
     .gives = &certificate_fields},
    {HTTP_GET,
     API "/revocation-list",
     revocation_list_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "revocation_list_get",
     .summary = "Age and length of the revocation list",
     .permission = "certificate.read",
     .gives = &list_about_fields},
};
const struct routes certificate_routes = {rows, COUNT(rows)};
