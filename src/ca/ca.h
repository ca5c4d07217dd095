/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority over HTTP.  Signed and therefore plain: SCEP (RFC 8894), the authority's
 * certificates, the revocation list (RFC 5280 4.2.1.13) and OCSP (RFC 6960, RFC 5019).  By TLS
 * alone: EST (RFC 7030).
 */
#pragma once

#include "http/http.h"
#include "pki/keyd.h"

extern const struct routes ca_routes;

/* ---- inside ca: one handler per file ---- */
http_handler ca_scep_get, ca_scep_post;
http_handler ca_est_authority, ca_est_attributes, ca_est_enrol, ca_est_renew;
http_step ca_est_need_challenge, ca_est_need_certificate;
void ca_est_error(const struct request *request, const struct err *err, struct reply *reply);
http_handler ca_root_get, ca_issuing_get, ca_list_get, ca_part_list_get;
http_handler ca_later_issuing_get, ca_later_root_get, ca_later_list_get;
http_handler ca_ocsp_get, ca_ocsp_post;

/* The certificates of this house's authority. */
MUST_CHECK bool ca_authority(struct request *request, struct authority *out, struct err *err);

#define SCEP_BODY_MAX 65536 /* bytes; real requests have 2 to 4 kB */
#define OCSP_BODY_MAX 4096
