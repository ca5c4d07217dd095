/* SPDX-License-Identifier: Apache-2.0 */
/* Waking Apple devices by push; see channel/channel.h. */
#pragma once

#include "channel/channel.h"
#include "fleet/wake.h"

bool apple_wake_open(void *owner, const struct channel_settings *options, void **state,
                     struct err *err);
bool apple_wake_room(struct fleet *fleet, void *state, int64_t now, size_t *room, struct err *err);
void apple_wake_start(void *state, const struct wake *wake, int64_t now);
size_t apple_wake_under_way(const void *state);
bool apple_wake_take(struct fleet *fleet, void *state, void *owner, int64_t now, int ms,
                     struct woken *out, struct err *err);
