/* SPDX-License-Identifier: Apache-2.0 */
/* A SCEP enrolment over HTTP (RFC 8894 4): capabilities, authority, request, polling. */
#pragma once

#include "sim/scep_message.h"
#include "sim/web.h"

struct scep_service {
    const char *url, *name;
    struct bytes fingerprint;         /* MD5, SHA-1, SHA-256 or SHA-512 of a CA certificate */
    const struct certificates *roots; /* the authority must chain to one; NULL: not checked */
    int64_t retries, retry_delay;     /* polls, seconds between them */
};

struct scep_outcome {
    int http_status;            /* of the last PKIOperation */
    enum scep_status status;    /* SCEP_NONE: no CertRep came */
    int fail_info;              /* -1: none */
    const char *fail_text;      /* or NULL */
    X509 *certificate;          /* on success; belongs to the outcome */
    struct certificates *chain; /* the authority's certificates: for the identity's chain */
};

/* One whole enrolment. A CertRep of failure is an outcome, not an error. Belongs to owner. */
MUST_CHECK bool scep_enrol(void *owner, struct web *web, const struct scep_service *service,
                           const struct scep_wish *wish, EVP_PKEY *key, struct scep_outcome **out,
                           struct err *err);
