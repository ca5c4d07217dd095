/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyd's own record of what it did with its keys, which the server cannot rewrite: one line per
 * act, appended and on disk before the act is answered, each line carrying an HMAC over itself and
 * the line before it.
 */
#pragma once

#include "keyd/seal.h"

struct journal;

/* Open or make the file; a last line that a crash tore is cut off (it was never answered). */
MUST_CHECK bool journal_open(void *owner, const char *path, const struct master *master,
                             struct journal **out, struct err *err);
/* facts: "name=value ...", every value that came from outside through journal_word(). */
MUST_CHECK bool journal_add(struct journal *journal, int64_t now, const char *what,
                            const char *facts, struct err *err);
/* The text with everything that could forge a field or a line written as '_'. Owner's. */
char *journal_word(void *owner, const char *text);
