/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [ERR_BAD_INPUT] = "bad-input",        [ERR_TOO_LARGE] = "too-large",
    [ERR_UNAUTHENTICATED] = "signed-out", [ERR_FORBIDDEN] = "forbidden",
    [ERR_NOT_FOUND] = "not-found",        [ERR_CONFLICT] = "conflict",
    [ERR_PRECONDITION] = "precondition",  [ERR_TOO_MANY] = "too-many",
    [ERR_UNAVAILABLE] = "unavailable",    [ERR_INTERNAL] = "internal",
};

/* A sentence that was cut at the end of its room ends with a whole character. */
static void cut_end(char *text, size_t room)
{
    size_t size = strnlen(text, room);
    size_t begin = size;
    if (size + 1 < room)
        return; /* it was not cut */
    while (begin > 0 && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
        begin--;
    if (begin == 0)
        return;
    unsigned char first = (unsigned char)text[begin - 1];
    size_t whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (size - (begin - 1) < whole)
        text[begin - 1] = '\0';
}

/* Add text behind what is there; what does not fit is cut. */
static void append(char *to, size_t room, const char *text)
{
    size_t used = strnlen(to, room);
    size_t size = strlen(text);
    if (used + 1 >= room)
        return;
    if (size > room - used - 1)
        size = room - used - 1;
    memcpy(to + used, text, size);
    to[used + size] = '\0';
    cut_end(to, room);
}

static void PRINTF(4, 0)
    fill(struct err *err, enum err_kind kind, const char *where, const char *format, va_list args)
{
    (void)vsnprintf(err->text, sizeof(err->text), format, args); /* a cut sentence is fine */
    cut_end(err->text, sizeof(err->text));
    (void)snprintf(err->where, sizeof(err->where), "%s", where);
    err->kind = kind;
    err->remedy = NULL;
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, kind, "", format, args);
    va_end(args);
    return false;
}

bool err_at(struct err *err, enum err_kind kind, const char *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, kind, where, format, args);
    va_end(args);
    return false;
}

bool err_context(struct err *err, const char *format, ...)
{
    struct err inner = *err;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    cut_end(err->text, sizeof(err->text));
    append(err->text, sizeof(err->text), ": ");
    append(err->text, sizeof(err->text), inner.text);
    return false;
}

bool err_under(struct err *err, const char *segment)
{
    struct err inner = *err;
    err->where[0] = '\0';
    append(err->where, sizeof(err->where), segment);
    append(err->where, sizeof(err->where), inner.where);
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    return kind_names[kind];
}

_Noreturn void bug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("bug: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    abort();
}
