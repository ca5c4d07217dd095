/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP/1.1 client of one simulated device (libcurl): its trust, its identity certificate and
 * its one connection.  Redirects are followed only to the same host and never remembered.
 */
#pragma once

#include "sim/openssl.h"

#define WEB_BODY_MAX ((size_t)32 << 20) /* bytes of an answer */

struct web;

struct web_options {
    const struct certificates *roots; /* trust these ... */
    bool system_roots;                /* ... and the system's */
    bool fresh_connections;           /* a new connection for every request */
    int timeout_seconds;              /* for one request; 0 = 30 */
    int patience_seconds; /* go on trying through refused connections, 502, 503 and 504 */
};

struct web_request {
    const char *method, *url; /* https, or http where plain_allowed */
    const char *content_type; /* NULL: none */
    const char *header;       /* one more header line, or NULL */
    struct bytes body;
    bool plain_allowed;
    bool stays;     /* a redirect is the answer, and is not followed */
    bool anonymous; /* without the identity certificate, on a connection of its own */
};

struct web_reply {
    int status;
    struct bytes body;        /* belongs to the owner given */
    const char *content_type; /* or NULL */
    const char *location;     /* absolute, of a redirect; or NULL */
    const char *authenticate; /* the header WWW-Authenticate, or NULL */
    const char *cookie;       /* the header Set-Cookie, or NULL */
    double seconds;           /* of the last try */
};

/* The roots are referenced, not copied: they must outlive the client. */
MUST_CHECK bool web_open(void *owner, const struct web_options *options, struct web **out,
                         struct err *err);
/* Present this certificate from now on (NULL: none); drops the open connection. */
void web_identity_set(struct web *web, EVP_PKEY *key, X509 *certificate,
                      const struct certificates *chain);
/* ERR_UNAVAILABLE: no answer came. Any status is success. */
MUST_CHECK bool web_send(struct web *web, void *owner, const struct web_request *request,
                         struct web_reply *out, struct err *err);
/* Send the request slowly or only in part, then go away: for misbehaving devices. Returns what the
 * server said before we left, status 0 when nothing. */
struct web_pace {
    size_t bytes_per_second; /* 0: at once */
    int seconds;             /* at most so long */
    bool leave_without_reading;
};
MUST_CHECK bool web_send_rudely(struct web *web, void *owner, const struct web_request *request,
                                const struct web_pace *pace, struct web_reply *out,
                                struct err *err);
