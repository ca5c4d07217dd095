/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/http.h"

/* A step before need_device: with apple.signed_messages, the signer of the message stands for the
 * client certificate of the connection. ERR_BAD_INPUT, ERR_TOO_LARGE: a signature that does not
 * hold, or that is another's than the connection's. */
bool apple_signature(struct request *request, struct reply *reply, struct err *err);
