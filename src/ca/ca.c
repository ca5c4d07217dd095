/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/ca.h"

#include "base/mem.h"

#define SCEP_DOORS (DOOR_PLAIN | DOOR_FRONT)

#define ROW(verb, where, what, limit, flag)                                                        \
    {                                                                                              \
        .method = (verb), .path = (where), .handler = (what), .doors = SCEP_DOORS,                 \
        .body_limit = (limit), .flags = (flag)                                                     \
    }

static const struct route rows[] = {
    ROW(HTTP_GET, "/scep/{profile}", ca_scep_get, 0, ROUTE_RAW_QUERY),
    ROW(HTTP_POST, "/scep/{profile}", ca_scep_post, SCEP_BODY_MAX, ROUTE_RAW_QUERY),
    /* what Windows and old network gear put behind the configured address */
    ROW(HTTP_GET, "/scep/{profile}/pkiclient.exe", ca_scep_get, 0, ROUTE_RAW_QUERY),
    ROW(HTTP_POST, "/scep/{profile}/pkiclient.exe", ca_scep_post, SCEP_BODY_MAX, ROUTE_RAW_QUERY),
    ROW(HTTP_GET, "/ca/root.cer", ca_root_get, 0, 0),
    ROW(HTTP_GET, "/ca/issuing.cer", ca_issuing_get, 0, 0),
    ROW(HTTP_GET, "/ca/devices.crl", ca_list_get, 0, 0),
    ROW(HTTP_POST, "/ocsp", ca_ocsp_post, OCSP_BODY_MAX, 0),
    /* base64 with slashes, escaped or not (RFC 6960 A.1) */
    ROW(HTTP_GET, "/ocsp/{request}", ca_ocsp_get, 0, ROUTE_TAIL),
};
const struct routes ca_routes = {rows, COUNT(rows)};
