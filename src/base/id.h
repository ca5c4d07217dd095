/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers and randomness. */
#pragma once

#include "base/bytes.h"

#define ID_SIZE 36 /* characters of a UUID in text form, without the NUL */

/* UUIDv7 (RFC 9562 5.7), lower case: sorts by creation time. The result belongs to owner. */
char *id_make(void *owner);
/* The same in upper case: the form that Apple writes. The result belongs to owner. */
char *id_make_upper(void *owner);
/* UUIDv4 in upper case: the form that Apple writes. The result belongs to owner. */
char *id_make_random_upper(void *owner);
/* A stable UUID (version 8) out of the SHA-256 of a name; upper case. */
char *id_from_digest(void *owner, const uint8_t digest[32]);
/* 8-4-4-4-12 hexadecimal digits, either case. */
bool id_is_valid(const char *text);

/* From the kernel; never fails (ends the process instead). */
void random_bytes(void *out, size_t size);
/* `bits` (multiple of 5) of randomness in [A-Z2-7]: challenges, tokens, one-time passwords. */
char *random_text(void *owner, unsigned bits);
