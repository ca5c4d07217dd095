/* SPDX-License-Identifier: Apache-2.0 */
/* One call to keyd: what the operations of keyd.h are made of. */
#pragma once

#include "pki/keyd.h"
#include "pki/keyd_wire.h"

/* Send the request and wait for its answer (10 s in all). *answer reads from memory of owner. The
 * request is wiped. Errors of keyd come back with their kind and sentence. */
MUST_CHECK bool keyd_call(struct keyd *keyd, void *owner, enum keyd_operation operation,
                          struct buffer *request, struct reader *answer, struct err *err);
/* The same where the answer is one field of bytes. */
MUST_CHECK bool keyd_call_bytes(struct keyd *keyd, void *owner, enum keyd_operation operation,
                                struct buffer *request, struct bytes *out, struct err *err);
/* The answer was read to its end; otherwise client and keyd are of different builds. */
MUST_CHECK bool keyd_answer_done(const struct reader *answer, struct err *err);
