/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many calls at once over few HTTP/2 connections, as many on each as the server allows; what is
 * beyond waits inside.  Belongs to one thread; freeing it gives up what is under way.
 */
#pragma once

#include "connect/http.h"

struct http_many;

struct http_many_settings {
    struct http_client_settings client; /* outlives the handle, but for the key: see http.h */
    size_t connections;                 /* at most, to one server */
    size_t calls;                       /* at most, at once */
};
MUST_CHECK bool http_many_open(void *owner, const struct http_many_settings *settings,
                               struct http_many **out, struct err *err);
/* How many more calls can be started. */
size_t http_many_room(const struct http_many *many);
size_t http_many_under_way(const struct http_many *many);
/* Start a call; there must be room. Everything in it is copied. `context` comes back with the
 * answer. */
MUST_CHECK bool http_many_start(struct http_many *many, const struct http_call *call, void *context,
                                struct err *err);
/* Send and receive for ms milliseconds; less when `enough` answers, or all, are there. */
void http_many_work(struct http_many *many, int ms, size_t enough);

struct http_many_answer {
    void *context;
    bool is_answered;          /* false: err says why not, as of http_client_send */
    struct http_answer answer; /* belongs to owner */
    struct err err;
};
/* The next answer; false when there is none now. */
bool http_many_next(struct http_many *many, void *owner, struct http_many_answer *out);
