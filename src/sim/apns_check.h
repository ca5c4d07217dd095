/* SPDX-License-Identifier: Apache-2.0 */
/* What Apple's push service refuses in one request for an MDM push, and why. Pure. */
#pragma once

#include "base/bytes.h"

struct push { /* texts NULL when the header is absent */
    const char *method, *path, *topic, *push_type, *expiration, *priority, *id;
    struct bytes body;
};

struct push_verdict {
    int status;          /* 200 or the error's */
    const char *reason;  /* NULL for 200 */
    int64_t timestamp;   /* of 410: milliseconds */
    int64_t retry_after; /* seconds; 0: not told */
};

#define PUSH_TOKEN_HEX 64  /* hexadecimal digits of a device token */
#define PUSH_BODY_MAX 4096 /* bytes, as Apple's limit */

/* topic: the UID of the client certificate's subject. magic_out (owner's) is set on 200. */
struct push_verdict push_check(void *owner, const struct push *push, const char *topic,
                               const char **token_out, const char **magic_out);
