/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the person at the terminal. */
#pragma once

#include "base/bytes.h"

#define PROMPT_LONGEST 1024 /* bytes of a line */

/* One line from the terminal, without echo when it is a secret: the caller wipes it.
 * ERR_UNAVAILABLE without a terminal, ERR_BAD_INPUT when nothing or too much was typed. */
MUST_CHECK bool prompt_line(void *owner, const char *question, bool is_secret, char **out,
                            struct err *err);
/* One line from standard input. */
MUST_CHECK bool input_line(void *owner, char **out, struct err *err);
/* All of a file, or of standard input for "-". */
MUST_CHECK bool input_read(void *owner, const char *path, size_t limit, struct bytes *out,
                           struct err *err);
/* What to call it in a message. */
const char *input_name(const char *path);
