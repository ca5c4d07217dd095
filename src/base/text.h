/* SPDX-License-Identifier: Apache-2.0 */
/* Text: UTF-8 checks, hexadecimal, base64, folding for search, and numbers from text. */
#pragma once

#include "base/bytes.h"

bool text_is_utf8(struct bytes bytes);
bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts(const char *text, const char *prefix);
bool text_equal_nocase(const char *a, const char *b); /* ASCII: header names */

/* The beginning of a text, at most `size` bytes, ending with a whole character. Belongs to owner.
 */
char *text_begin(void *owner, const char *text, size_t size);
size_t text_length(const char *text); /* characters of UTF-8 */

/* Lower-case hexadecimal. The result belongs to owner. */
char *text_hex(void *owner, struct bytes bytes);
/* 0 to 15; -1: no hexadecimal digit. */
int hex_value(int digit);
/* Even number of hex digits and nothing else. */
MUST_CHECK bool text_unhex(void *owner, const char *text, struct bytes *out, struct err *err);

/* Nothing in it that can be seen: empty, or spaces, control and format characters alone. */
bool text_is_blank(const char *text);

/* A folded copy for case-insensitive search (Unicode NFKC + case folding, libutf8proc). */
char *text_fold(void *owner, const char *text);

/* The whole text is one decimal number within lowest..highest, or ERR_BAD_INPUT. */
MUST_CHECK bool number_parse(struct bytes text, int64_t lowest, int64_t highest, int64_t *out,
                             struct err *err);
