/* SPDX-License-Identifier: Apache-2.0 */
/* How the installation fares: for programs, and a page for people until there is a console. */
#include "api/answer.h"
#include "api/resources.h"
#include "codec/xml.h"
#include "fleet/device.h"
#include "fleet/push.h"

struct status_view {
    char *version, *compliance, *push_certificate;
    int64_t devices, time, waiting_requests;
    int64_t refused_patient, refused_ordinary, refused_urgent;
};
static const struct field status_rows[] = {
    TEXT_FIELD(struct status_view, version, FIELD_READ_ONLY, .help = "Version of the server"),
    TIME_FIELD(struct status_view, time, FIELD_READ_ONLY, .help = "The server's clock"),
    INTEGER_FIELD(struct status_view, devices, FIELD_READ_ONLY, .help = "Devices that are managed"),
    RAW_FIELD(struct status_view, compliance, FIELD_READ_ONLY, .help = "Devices by state"),
    INTEGER_FIELD(struct status_view, waiting_requests, FIELD_READ_ONLY,
                  .help = "Certificate requests that wait for approval"),
    TEXT_FIELD(struct status_view, push_certificate, FIELD_READ_ONLY,
               .help = "State of the push certificate"),
    INTEGER_FIELD(struct status_view, refused_patient, FIELD_READ_ONLY,
                  .help = "Reports of devices that were told to come later, since the server "
                          "started: too many waited"),
    INTEGER_FIELD(struct status_view, refused_ordinary, FIELD_READ_ONLY,
                  .help = "The same of other requests"),
    INTEGER_FIELD(struct status_view, refused_urgent, FIELD_READ_ONLY,
                  .help = "The same of enrolments and check-ins: refused last"),
};
static const struct fields status_fields = FIELDS(status_rows);

static bool status_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct fleet_status status;
    struct push_certificate_view push;
    if (!fleet_status_get(api_fleet(request), &actor, request->owner, &status, err) ||
        !fleet_push_get(api_fleet(request), &actor, request->owner, &push, err))
        return false;
    struct status_view view = {.version = mem_text(request->owner, MUSTER_VERSION),
                               .time = request->now,
                               .devices = status.device_count,
                               .compliance = status.compliance,
                               .waiting_requests = status.waiting_requests,
                               .push_certificate = push.state,
                               .refused_patient = status.shed[SHED_PATIENT],
                               .refused_ordinary = status.shed[SHED_ORDINARY],
                               .refused_urgent = status.shed[SHED_URGENT]};
    api_reply(request, reply, 200, status_fields, &view);
    return true;
}

/* ---- the page ---- */

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;"
    "color:#1f2933;background:#fafbfc}h1{font-size:1.6rem}code{background:#eef1f4;"
    "padding:.15rem .35rem;border-radius:4px}p.ok{border-left:4px solid #2f855a;"
    "padding-left:.8rem}@media(prefers-color-scheme:dark){body{background:#14181d;"
    "color:#e4e7eb}code{background:#252b33}}";

static void paragraph(struct xml_writer *w, const char *text, const char *code)
{
    xml_open(w, "p");
    xml_text_add(w, text);
    if (code)
        xml_leaf(w, "code", code);
    xml_close(w);
}

static void page_head(struct xml_writer *w)
{
    xml_open(w, "head");
    xml_leaf(w, "title", "Muster");
    xml_open(w, "meta");
    xml_attribute_add(w, "name", "viewport");
    xml_attribute_add(w, "content", "width=device-width, initial-scale=1");
    xml_close(w);
    xml_leaf(w, "style", style);
    xml_close(w);
}

static void page_body(struct xml_writer *w)
{
    xml_open(w, "body");
    xml_leaf(w, "h1", "Muster is running");
    xml_open(w, "p");
    xml_attribute_add(w, "class", "ok");
    xml_text_add(w, "The server answers. Version " MUSTER_VERSION ".");
    xml_close(w);
    paragraph(w, "Administrators sign in from the command line: ", "muster login");
    paragraph(w, "Let a device in: ", "muster enrol link");
    paragraph(w, "See what is there: ", "muster device list");
    paragraph(w, "The interface for programs is described at ", API "/openapi.json");
    xml_close(w);
}

static bool front_page(struct request *request, struct reply *reply, struct err *err)
{
    struct xml_writer w;
    struct bytes html;
    xml_writer_init(&w, request->owner, 16384);
    xml_doctype_html(&w);
    xml_open(&w, "html");
    xml_attribute_add(&w, "lang", "en");
    page_head(&w);
    page_body(&w);
    xml_close(&w);
    if (!xml_done(&w, &html, err))
        return false;
    reply_bytes(reply, 200, "text/html; charset=utf-8", html);
    reply_header(reply, "Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    reply_header(reply, "X-Content-Type-Options", "nosniff");
    reply_header(reply, "Referrer-Policy", "no-referrer");
    return true;
}

/* Whoever types the name of the server without https://. */
static bool plain_page(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    reply_empty(reply, 302);
    reply_header(reply, "Location",
                 mem_format(request->owner, "%s/", api_fleet(request)->settings->front_url));
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/status",
     status_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "status_get",
     .summary = "How the installation fares",
     .permission = "status.read",
     .gives = &status_fields},
    {HTTP_GET, "/", front_page, {NULL}, DOOR_FRONT, 0, .flags = ROUTE_RAW},
    {HTTP_GET, "/", plain_page, {NULL}, DOOR_PLAIN, 0, .flags = ROUTE_RAW},
};
const struct routes status_routes = {rows, COUNT(rows)};
