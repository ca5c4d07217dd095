/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTPS server on the loopback: one request on a connection, one connection at a time. */
#pragma once

#include "codec/uri.h"

struct https;

struct incoming { /* belongs to owner, which goes with the answer */
    void *owner;
    char *method, *path;
    struct uri_query query;
    struct uri_pair *headers;
    size_t header_count;
    struct bytes body;
};
struct outgoing {
    int status;
    const char *type, *header; /* header: one more line without its end, or NULL */
    struct bytes body;
};
typedef void incoming_handle(void *context, const struct incoming *in, struct outgoing *out);

struct https_settings {
    const char *certificate, *key; /* PEM files */
    int64_t port;                  /* 0: any */
};
MUST_CHECK bool https_open(void *owner, const struct https_settings *settings, struct https **out,
                           struct err *err);
int https_port(const struct https *https);
/* Wait so long for a connection, and answer it. */
void https_turn(struct https *https, int wait_ms, incoming_handle *handle, void *context);
const char *incoming_header(const struct incoming *in, const char *name); /* or NULL */
