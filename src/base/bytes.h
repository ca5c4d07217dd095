/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes: borrowed input (struct bytes), bounded output (struct buffer) and a reader with a sticky
 * failure, so that decoding code holds no arithmetic.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct bytes { /* borrowed; data may be NULL when size is 0 */
    const uint8_t *data;
    size_t size;
};

#define NO_BYTES ((struct bytes){NULL, 0})
#define BYTES_OF(array) ((struct bytes){(const uint8_t *)(array), sizeof(array)})

struct bytes bytes_text(const char *text); /* without the NUL */
bool bytes_equal(struct bytes a, struct bytes b);
struct bytes bytes_copy(void *owner, struct bytes bytes);
/* A NUL-terminated copy; NULL when the bytes hold a NUL or are not UTF-8. */
char *bytes_to_text(void *owner, struct bytes bytes);
/* Overwrite a secret before its memory is given back; never optimised away. */
void bytes_wipe(void *memory, size_t size);

/* ---- output: born with a maximum, always NUL-terminated, failure checked once at the end ---- */

struct buffer {
    void *owner;
    uint8_t *data;
    size_t size, room, limit;
    bool failed;
};

void buffer_init(struct buffer *buffer, void *owner, size_t limit);
void buffer_add(struct buffer *buffer, struct bytes bytes);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_byte(struct buffer *buffer, uint8_t byte);
void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF(2, 3);
void buffer_clear(struct buffer *buffer); /* empty again, room kept */
/* False (ERR_TOO_LARGE) when the limit was reached. *out borrows from the buffer. */
MUST_CHECK bool buffer_done(struct buffer *buffer, struct bytes *out, struct err *err);
const char *buffer_string(const struct buffer *buffer); /* what there is, NUL-terminated */

/* ---- input: reads past the end give zero and make the reader fail ---- */

struct reader {
    struct bytes in;
    size_t at;
    bool failed;
};

struct reader reader_of(struct bytes bytes);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader); /* big endian */
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct bytes reader_take(struct reader *reader, size_t size);
size_t reader_left(const struct reader *reader);
bool reader_ok(const struct reader *reader);   /* nothing was read past the end */
bool reader_done(const struct reader *reader); /* ok, and nothing is left */
