/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment over secure transport (RFC 7030, with the clarifications of RFC 8951): what its bodies
 * and its sign-in hold.  No HTTP, no database, no policy.
 */
#pragma once

#include "pki/request.h"

#define EST_BODY_MAX 32768 /* bytes: base64 of the largest request, with line breaks */

/* Simple PKI Request: PKCS#10 in base64, with or without line breaks (RFC 8951 3.1).  Belongs to
 * owner. ERR_BAD_INPUT: no such thing, or a request that is not answered; ERR_TOO_LARGE;
 * ERR_FORBIDDEN: a key that is not certified. */
MUST_CHECK bool est_request_parse(void *owner, struct bytes body, struct certificate_request *out,
                                  struct err *err);
/* The password in a header "Basic base64(user:password)" (RFC 7617); the name does not count.
 * Belongs to owner and is wiped with it. ERR_UNAUTHENTICATED: there is none. header may be NULL. */
MUST_CHECK bool est_password_parse(void *owner, const char *header, const char **out,
                                   struct err *err);
/* certs-only SignedData in base64 on one line: there are clients that cannot skip line breaks. */
struct bytes est_bundle_render(void *owner, const struct bytes *certificates, size_t count);
