/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that name a person of the device. Who may be served is decided before. */
#pragma once

#include "channel/apple/apple.h"

/* A check-in of a person; fills reply. 410 where people are not managed. */
MUST_CHECK bool apple_user_checkin(struct request *request, const struct apple_checkin *message,
                                   struct reply *reply, struct err *err);
/* From here on the caller of this request is that channel: its queue, and no other. *found false:
 * there is none. */
MUST_CHECK bool apple_user_enter(struct request *request, const struct apple_sender *sender,
                                 bool *found, struct err *err);
/* What a person's channel says is kept with the channel, never with the device. */
MUST_CHECK bool apple_user_told(struct request *request, const struct apple_result *message,
                                struct err *err);
