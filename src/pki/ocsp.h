/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP (RFC 6960, 5019, 9654): requests to typed questions; answers are signed by keyd. */
#pragma once

#include "pki/keyd.h"

#define OCSP_SIZE_MAX 4096     /* bytes of a request */
#define OCSP_QUESTIONS_MAX 8   /* certificates asked about at once */
#define OCSP_NONCE_ECHO_MAX 32 /* bytes: RFC 9654 2.1; longer ones up to 128 are passed over */
#define OCSP_NONCE_MAX 128

struct ocsp_question {
    struct bytes cert_id; /* as it stands in the request */
    bool is_ours;         /* names our issuing CA */
    const char *serial;   /* lower-case hex, no leading zero bytes */
};
struct ocsp_request {
    struct ocsp_question questions[OCSP_QUESTIONS_MAX];
    size_t count;
    struct bytes nonce; /* to be echoed; size 0: none */
};

enum ocsp_error { /* OCSPResponseStatus, RFC 6960 4.2.1 */
                  OCSP_ERROR_MALFORMED = 1,
                  OCSP_ERROR_INTERNAL = 2,
                  OCSP_ERROR_TRY_LATER = 3,
                  OCSP_ERROR_UNAUTHORIZED = 6,
};

/* DER of a request (POST body). ERR_BAD_INPUT: answer OCSP_ERROR_MALFORMED. Belongs to owner. */
MUST_CHECK bool ocsp_parse(void *owner, struct bytes body, struct bytes issuing,
                           struct ocsp_request *out, struct err *err);
/* What follows the responder's path in a GET: base64, percent-encoded (RFC 6960 A.1). */
MUST_CHECK bool ocsp_parse_path(void *owner, struct bytes path, struct bytes issuing,
                                struct ocsp_request *out, struct err *err);
/* A whole OCSPResponse without signature. Belongs to owner. */
struct bytes ocsp_error_render(void *owner, enum ocsp_error error);
