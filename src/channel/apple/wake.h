/* SPDX-License-Identifier: Apache-2.0 */
/* Waking a device through Apple's push service. */
#pragma once

#include "channel/channel.h"

bool apple_wake_open(void *owner, const struct channel_settings *options, void **state,
                     struct err *err);
bool apple_wake(struct fleet *fleet, void *state, const char *enrolment_id, int64_t now,
                struct wake_result *result, struct err *err);
