/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbound HTTP client, on libcurl.  A client belongs to one thread, keeps its connections and
 * always checks the server's certificate and name.  HTTPS, and HTTP where the caller says so;
 * redirects are not followed; answers are bounded.
 */
#pragma once

#include "base/bytes.h"

struct http_client;

struct http_client_settings {      /* copied where they are needed later */
    const char *ca_file;           /* PEM; NULL: the system's trust store */
    struct bytes certificate, key; /* of the client, PEM; data NULL: none. The key is wiped. */
    bool needs_http2;              /* an answer over anything older is an error */
    bool allows_plain;             /* http:// too */
    int64_t connect_seconds, answer_seconds; /* 0: 10 and 30 */
};
MUST_CHECK bool http_client_open(void *owner, const struct http_client_settings *settings,
                                 struct http_client **out, struct err *err);

struct http_line { /* a header */
    const char *name, *value;
};
struct http_call {
    const char *method, *url;
    const struct http_line *headers;
    size_t header_count;
    struct bytes body;         /* data NULL: none */
    size_t answer_limit;       /* bytes of the answer's body */
    const char *wanted_header; /* of the answer, its name; NULL: none */
};
struct http_answer { /* belongs to owner */
    int status;
    const char *type;    /* content type, or NULL */
    int64_t retry_after; /* seconds; 0: not told, or told as a date */
    const char *wanted;  /* value of the header that was wanted, or NULL */
    struct bytes body;
};
/* ERR_UNAVAILABLE: no connection, no trust, no answer in time. ERR_FORBIDDEN: the server does not
 * accept our certificate. ERR_TOO_LARGE: the answer is. Any status is an answer. */
MUST_CHECK bool http_client_send(struct http_client *client, void *owner,
                                 const struct http_call *call, struct http_answer *out,
                                 struct err *err);
