/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority over HTTP, all of it signed and therefore plain: SCEP (RFC 8894), the authority's
 * certificates, the revocation list (RFC 5280 4.2.1.13) and OCSP (RFC 6960, RFC 5019).
 */
#pragma once

#include "http/http.h"
#include "pki/keyd.h"

extern const struct routes ca_routes;

/* ---- inside ca: one handler per file ---- */
http_handler ca_scep_get, ca_scep_post;
http_handler ca_root_get, ca_issuing_get, ca_list_get;
http_handler ca_ocsp_get, ca_ocsp_post;

/* The certificates of this house's authority. */
MUST_CHECK bool ca_authority(struct request *request, struct authority *out, struct err *err);

#define SCEP_BODY_MAX 65536 /* bytes; real requests have 2 to 4 kB */
#define OCSP_BODY_MAX 4096
