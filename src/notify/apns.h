/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's push service: one MDM notification over HTTP/2 with the push certificate.  A sender
 * belongs to one thread and one certificate and keeps its connection.
 */
#pragma once

#include "base/bytes.h"

struct apns;

struct apns_settings {
    const char *url;                       /* "https://api.push.apple.com" */
    const char *ca_file;                   /* PEM; NULL: the system's trust store */
    const char *certificate_pem, *key_pem; /* of the topic */
};
MUST_CHECK bool apns_open(void *owner, const struct apns_settings *settings, struct apns **out,
                          struct err *err);

struct apns_push {
    const char *topic;
    struct bytes token; /* as the device gave it */
    struct bytes magic; /* chosen by the device: escaped here */
    int64_t expires_at; /* seconds UTC: the service forgets it then */
};
enum apns_outcome {
    APNS_SENT,
    APNS_LATER,   /* the service or the connection: try again */
    APNS_DEAD,    /* this address is no more */
    APNS_REFUSED, /* the address, the topic or our certificate is wrong: trying again is no use
                     until one of them changes */
};
struct apns_answer { /* texts belong to owner */
    enum apns_outcome outcome;
    int status;            /* of HTTP; 0: no answer */
    const char *reason;    /* the service's word ("BadDeviceToken"), or what went wrong */
    int64_t retry_seconds; /* APNS_LATER; 0: as the caller thinks */
    int64_t dead_since;    /* APNS_DEAD: seconds UTC; 0: not told */
};
/* Always an answer: what fails is APNS_LATER with its reason. */
void apns_send(struct apns *apns, void *owner, const struct apns_push *push,
               struct apns_answer *out);
