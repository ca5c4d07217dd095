/* SPDX-License-Identifier: Apache-2.0 */
/* Apple's device enrolment service: the token comes in, and a job speaks with it. */
#pragma once

#include "channel/channel.h"

/* Take the token file that an administrator downloaded. replaces: of another server. Permission
 * apple.write. ERR_BAD_INPUT, ERR_PRECONDITION: for another key; ERR_CONFLICT: another server. */
MUST_CHECK bool apple_service_import(struct fleet *fleet, const struct actor *actor,
                                     struct bytes file, bool replaces, struct err *err);

/* ---- what channel.h asks for ---- */
MUST_CHECK bool apple_service_open(void *owner, const struct channel_settings *options,
                                   void **state, struct err *err);
MUST_CHECK bool apple_service_work(struct fleet *fleet, void *state, int64_t now, int64_t *again_at,
                                   struct err *err);
