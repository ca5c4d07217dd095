/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's push service: MDM notifications over HTTP/2 with the push certificate, many at once over
 * few connections.  A sender belongs to one thread and one certificate.
 */
#pragma once

#include "notify/apns_answer.h"

struct apns;

#define APNS_CONNECTIONS_MOST 4 /* of one topic */
#define APNS_PUSHES_MOST 256    /* under way at once */

struct apns_settings {
    const char *url;                       /* "https://api.push.apple.com" */
    const char *ca_file;                   /* PEM; NULL: the system's trust store */
    const char *certificate_pem, *key_pem; /* of the topic */
};
MUST_CHECK bool apns_open(void *owner, const struct apns_settings *settings, struct apns **out,
                          struct err *err);
size_t apns_room(const struct apns *apns); /* how many more pushes can be started */
size_t apns_under_way(const struct apns *apns);

struct apns_push {
    const char *topic;
    struct bytes token; /* as the device gave it */
    struct bytes magic; /* chosen by the device: escaped here */
    int64_t expires_at; /* seconds UTC: the service forgets it then */
};
/* Start one; there must be room. `context` comes back with its answer. ERR_BAD_INPUT when token or
 * magic cannot be sent. */
MUST_CHECK bool apns_start(struct apns *apns, const struct apns_push *push, void *context,
                           struct err *err);
/* Send and receive for ms milliseconds; less when `enough` answers, or all, are there. */
void apns_work(struct apns *apns, int ms, size_t enough);
/* The next answer, false when there is none now. Each push that was started gets one. */
bool apns_next(struct apns *apns, void *owner, void **context, struct apns_answer *out);
