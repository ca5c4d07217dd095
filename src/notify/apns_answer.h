/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer of Apple's push service means for the push, its address and our certificate. */
#pragma once

#include "connect/http.h"

#define APNS_ANSWER_MAX (16 * 1024) /* bytes: a reason and a time */

enum apns_outcome {
    APNS_SENT,
    APNS_LATER,       /* this push, another time */
    APNS_AWAY,        /* the service or the way to it: nothing gets through now */
    APNS_DEAD,        /* this address is no more */
    APNS_WRONG,       /* this address belongs to another topic or environment */
    APNS_CERTIFICATE, /* our certificate is not accepted */
    APNS_REFUSED,     /* the push itself: trying again soon is no use */
};
struct apns_answer { /* texts belong to the owner of the answer */
    enum apns_outcome outcome;
    int status;            /* of HTTP; 0: no answer */
    const char *reason;    /* the service's word ("BadDeviceToken"), or what went wrong */
    int64_t retry_seconds; /* as the service asked; 0: it did not */
    int64_t dead_since;    /* APNS_DEAD: seconds UTC; 0: not told */
};
/* Apple, "Handling notification responses from APNs". */
struct apns_answer apns_answer_weigh(void *owner, const struct http_answer *http);
/* Where there was no answer. */
struct apns_answer apns_failure_weigh(void *owner, const struct err *why);
