/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/mem.h"

void random_bytes(void *out, size_t size)
{
    uint8_t *at = out;
    while (size > 0) {
        size_t part = size < 256 ? size : 256; /* getrandom never cuts these */
        if (getrandom(at, part, 0) != (ssize_t)part)
            bug("no randomness");
        at += part;
        size -= part;
    }
}

static char *uuid_text(void *owner, uint8_t raw[16], unsigned version, bool upper)
{
    raw[6] = (uint8_t)((raw[6] & 0x0f) | version << 4);
    raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[ID_SIZE + 1];
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[raw[i] >> 4];
        text[at++] = digits[raw[i] & 15];
    }
    text[at] = '\0';
    return mem_text(owner, text);
}

static char *id_make_cased(void *owner, bool upper)
{
    struct timespec now;
    uint8_t raw[16];
    random_bytes(raw, sizeof(raw));
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        bug("no clock");
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (size_t i = 0; i < 6; i++)
        raw[i] = (uint8_t)(ms >> (40 - 8 * i));
    /* RFC 9562 6.2, method 3: what one thread makes within a millisecond still sorts */
    uint64_t part = (uint64_t)now.tv_nsec % 1000000 * 4096 / 1000000;
    raw[6] = (uint8_t)(part >> 8);
    raw[7] = (uint8_t)part;
    return uuid_text(owner, raw, 7, upper);
}

char *id_make(void *owner)
{
    return id_make_cased(owner, false);
}

char *id_make_upper(void *owner)
{
    return id_make_cased(owner, true);
}

char *id_make_random_upper(void *owner)
{
    uint8_t raw[16];
    random_bytes(raw, sizeof(raw));
    return uuid_text(owner, raw, 4, true);
}

char *id_from_digest(void *owner, const uint8_t digest[32])
{
    uint8_t raw[16];
    memcpy(raw, digest, sizeof(raw));
    return uuid_text(owner, raw, 8, true);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool id_is_valid(const char *text)
{
    if (strlen(text) != ID_SIZE)
        return false;
    for (size_t i = 0; i < ID_SIZE; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i]))
            return false;
    }
    return true;
}

char *random_text(void *owner, unsigned bits)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t size = bits / 5;
    char *text = mem_array(owner, char, size + 1);
    random_bytes(text, size);
    for (size_t i = 0; i < size; i++)
        text[i] = alphabet[(uint8_t)text[i] & 31];
    return text;
}
