/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/ca.h"

#include "base/field.h"
#include "base/mem.h"
#include "pki/est.h"

#define SCEP_DOORS (DOOR_PLAIN | DOOR_FRONT)

#define ROW(verb, where, what, limit, flag)                                                        \
    {                                                                                              \
        .method = (verb), .path = (where), .handler = (what), .doors = SCEP_DOORS,                 \
        .body_limit = (limit), .flags = (flag)                                                     \
    }

/* What stands behind /scep/: one name per kind of device that asks. */
static const char *const profiles[] = {"apple", "network", NULL};

static bool need_profile(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    return name_find(profiles, request->params[0]) >= 0 ||
           err_set(err, ERR_NOT_FOUND, "there is no SCEP profile of this name");
}

/* A profile whose certificate does not come is not installed at all. */
static enum http_urgency scep_weigh(const struct request *request)
{
    (void)request;
    return HTTP_URGENT;
}

#define SCEP_ROW(verb, where, what, limit)                                                         \
    {                                                                                              \
        .method = (verb), .path = (where), .handler = (what), .steps = {need_profile},             \
        .doors = SCEP_DOORS, .body_limit = (limit), .flags = ROUTE_RAW_QUERY, .weigh = scep_weigh  \
    }

#define ALIAS_ROW(verb, end, what, limit)                                                          \
    {                                                                                              \
        .method = (verb), .path = "/certsrv/mscep/mscep.dll" end, .handler = (what),               \
        .doors = SCEP_DOORS, .body_limit = (limit), .flags = ROUTE_RAW_QUERY                       \
    }

/* At the device door a certificate can come along, which renewing takes. */
#define EST "/.well-known/est"
#define EST_DOORS (DOOR_FRONT | DOOR_DEVICE)

#define EST_ROW(verb, where, what, limit, ...)                                                     \
    {                                                                                              \
        .method = (verb), .path = EST where, .handler = (what), .steps = {__VA_ARGS__},            \
        .doors = EST_DOORS, .body_limit = (limit), .render_error = ca_est_error                    \
    }

static const struct route rows[] = {
    SCEP_ROW(HTTP_GET, "/scep/{profile}", ca_scep_get, 0),
    SCEP_ROW(HTTP_POST, "/scep/{profile}", ca_scep_post, SCEP_BODY_MAX),
    /* what Windows and old network gear put behind the configured address */
    SCEP_ROW(HTTP_GET, "/scep/{profile}/pkiclient.exe", ca_scep_get, 0),
    SCEP_ROW(HTTP_POST, "/scep/{profile}/pkiclient.exe", ca_scep_post, SCEP_BODY_MAX),
    /* the address of Microsoft's service, which some gear has built in */
    ALIAS_ROW(HTTP_GET, "", ca_scep_get, 0),
    ALIAS_ROW(HTTP_POST, "", ca_scep_post, SCEP_BODY_MAX),
    ALIAS_ROW(HTTP_GET, "/pkiclient.exe", ca_scep_get, 0),
    ALIAS_ROW(HTTP_POST, "/pkiclient.exe", ca_scep_post, SCEP_BODY_MAX),
    EST_ROW(HTTP_GET, "/cacerts", ca_est_authority, 0),
    EST_ROW(HTTP_GET, "/csrattrs", ca_est_attributes, 0),
    EST_ROW(HTTP_POST, "/simpleenroll", ca_est_enrol, EST_BODY_MAX, ca_est_need_challenge),
    EST_ROW(HTTP_POST, "/simplereenroll", ca_est_renew, EST_BODY_MAX, ca_est_need_certificate),
    ROW(HTTP_GET, "/ca/root.cer", ca_root_get, 0, 0),
    ROW(HTTP_GET, "/ca/issuing.cer", ca_issuing_get, 0, 0),
    ROW(HTTP_GET, "/ca/devices.crl", ca_list_get, 0, 0),
    ROW(HTTP_GET, "/ca/{list}", ca_part_list_get, 0, 0), /* devices-N.crl, -delta.crl */
    /* the same of an authority after the first */
    ROW(HTTP_GET, "/ca/{authority}/root.cer", ca_later_root_get, 0, 0),
    ROW(HTTP_GET, "/ca/{authority}/issuing.cer", ca_later_issuing_get, 0, 0),
    ROW(HTTP_GET, "/ca/{authority}/{list}", ca_later_list_get, 0, 0),
    ROW(HTTP_POST, "/ocsp", ca_ocsp_post, OCSP_BODY_MAX, 0),
    /* base64 with slashes, escaped or not (RFC 6960 A.1) */
    ROW(HTTP_GET, "/ocsp/{request}", ca_ocsp_get, 0, ROUTE_TAIL),
};
const struct routes ca_routes = {rows, COUNT(rows)};
