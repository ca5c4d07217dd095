/* SPDX-License-Identifier: Apache-2.0 */
/* What a device's refusal means, for people: a sentence, and what helps. */
#pragma once

#include "channel/apple/message.h"

struct apple_refusal {
    const char *reason;
    const char *remedy; /* NULL: nothing known */
    bool is_unknown;    /* the device does not know the command */
    /* The device has not the profile that the command was about. */
    bool is_absent;
};
/* The codes are hints only (vendors change them): nothing but is_absent is decided by them. The
 * texts belong to owner or are constant. */
void apple_error_explain(void *owner, const struct apple_result *result, struct apple_refusal *out);
