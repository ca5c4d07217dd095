/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

struct bytes bytes_copy(void *owner, struct bytes bytes)
{
    if (bytes.size == 0)
        return (struct bytes){(const uint8_t *)mem_text(owner, ""), 0};
    return (struct bytes){mem_copy(owner, bytes.data, bytes.size), bytes.size};
}

char *bytes_to_text(void *owner, struct bytes bytes)
{
    if (bytes.size > 0 && memchr(bytes.data, 0, bytes.size))
        return NULL;
    if (!text_is_utf8(bytes))
        return NULL;
    return mem_text_part(owner, bytes.size ? (const char *)bytes.data : "", bytes.size);
}

void bytes_wipe(void *memory, size_t size)
{
    if (size > 0)
        explicit_bzero(memory, size);
}

void buffer_init(struct buffer *buffer, void *owner, size_t limit)
{
    *buffer = (struct buffer){.owner = owner, .limit = limit};
}

static bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed || more > buffer->limit - buffer->size) {
        buffer->failed = true;
        return false;
    }
    size_t wanted = buffer->size + more + 1;
    if (wanted <= buffer->room)
        return true;
    size_t room = buffer->room ? buffer->room : 256;
    while (room < wanted)
        room *= 2;
    buffer->data = mem_grow(buffer->owner, buffer->data, room);
    buffer->room = room;
    return true;
}

void buffer_add(struct buffer *buffer, struct bytes bytes)
{
    if (!buffer_reserve(buffer, bytes.size))
        return;
    if (bytes.size > 0)
        memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    buffer->size += bytes.size;
    buffer->data[buffer->size] = 0;
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, bytes_text(text));
}

void buffer_byte(struct buffer *buffer, uint8_t byte)
{
    buffer_add(buffer, (struct bytes){&byte, 1});
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        buffer->failed = true;
    else if (buffer_reserve(buffer, (size_t)size)) {
        (void)vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->data)
        buffer->data[0] = 0;
}

bool buffer_done(struct buffer *buffer, struct bytes *out, struct err *err)
{
    if (buffer->failed)
        return err_set(err, ERR_TOO_LARGE, "output exceeds %zu bytes", buffer->limit);
    *out = (struct bytes){buffer->data, buffer->size};
    return true;
}

const char *buffer_string(const struct buffer *buffer)
{
    return buffer->data ? (const char *)buffer->data : "";
}

struct reader reader_of(struct bytes bytes)
{
    return (struct reader){.in = bytes};
}

struct bytes reader_take(struct reader *reader, size_t size)
{
    if (reader->failed || size > reader->in.size - reader->at) {
        reader->failed = true;
        return NO_BYTES;
    }
    struct bytes taken = {reader->in.data + reader->at, size};
    reader->at += size;
    return taken;
}

static uint64_t reader_number(struct reader *reader, size_t size)
{
    struct bytes taken = reader_take(reader, size);
    uint64_t number = 0;
    for (size_t i = 0; i < taken.size; i++)
        number = number << 8 | taken.data[i];
    return number;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)reader_number(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)reader_number(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)reader_number(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return reader_number(reader, 8);
}

size_t reader_left(const struct reader *reader)
{
    return reader->in.size - reader->at;
}

bool reader_ok(const struct reader *reader)
{
    return !reader->failed;
}

bool reader_done(const struct reader *reader)
{
    return !reader->failed && reader_left(reader) == 0;
}
