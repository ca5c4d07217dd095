/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/mem.h"

bool text_is_utf8(struct bytes bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        utf8proc_int32_t code;
        if (bytes.data[at] < 0x80) { /* nearly always */
            at++;
            continue;
        }
        utf8proc_ssize_t used =
            utf8proc_iterate(bytes.data + at, (utf8proc_ssize_t)(bytes.size - at), &code);
        if (used <= 0)
            return false;
        at += (size_t)used;
    }
    return true;
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_equal_nocase(const char *a, const char *b)
{
    return a && b ? strcasecmp(a, b) == 0 : a == b;
}

char *text_begin(void *owner, const char *text, size_t size)
{
    size_t end = strnlen(text, size + 1);
    if (end > size) {
        end = size;
        while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
            end--; /* text[end] goes on with a character that began before it */
    }
    return mem_text_part(owner, text, end);
}

size_t text_length(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

char *text_hex(void *owner, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = mem_array(owner, char, bytes.size * 2 + 1);
    for (size_t i = 0; i < bytes.size; i++) {
        hex[2 * i] = digits[bytes.data[i] >> 4];
        hex[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    return hex;
}

int hex_value(int digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool text_unhex(void *owner, const char *text, struct bytes *out, struct err *err)
{
    size_t size = strlen(text);
    if (size % 2 != 0)
        return err_set(err, ERR_BAD_INPUT, "odd number of hexadecimal digits");
    CLEANUP(mem_free_at) uint8_t *data = mem_array(NULL, uint8_t, size / 2 + 1);
    for (size_t i = 0; i < size; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return err_set(err, ERR_BAD_INPUT, "not a hexadecimal digit at %zu", i);
        data[i / 2] = (uint8_t)(high << 4 | low);
    }
    *out = (struct bytes){mem_give(owner, &data), size / 2};
    return true;
}

static bool is_unseen(utf8proc_int32_t code)
{
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF: return true;
    default: return false;
    }
}

bool text_is_blank(const char *text)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    while (*at) {
        utf8proc_int32_t code;
        utf8proc_ssize_t used = utf8proc_iterate(at, -1, &code);
        if (used <= 0 || !is_unseen(code))
            return false;
        at += used;
    }
    return true;
}

char *text_fold(void *owner, const char *text)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t size = utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded,
                                         UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                             UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
    if (size < 0)
        return mem_text(owner, text);
    char *copy = mem_text(owner, (const char *)folded);
    free(folded); /* utf8proc allocates with malloc */
    return copy;
}

bool number_parse(struct bytes text, int64_t lowest, int64_t highest, int64_t *out, struct err *err)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t at = negative ? 1 : 0;
    int64_t sum = 0;
    if (at == text.size)
        return err_set(err, ERR_BAD_INPUT, "number expected");
    for (; at < text.size; at++) {
        int digit = text.data[at] - '0';
        if (digit < 0 || digit > 9)
            return err_set(err, ERR_BAD_INPUT, "digit expected at byte %zu", at);
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, negative ? -digit : digit, &sum))
            return err_set(err, ERR_BAD_INPUT, "number too large");
    }
    if (sum < lowest || sum > highest)
        return err_set(err, ERR_BAD_INPUT, "number out of range");
    *out = sum;
    return true;
}
