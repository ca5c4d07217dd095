/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that are too deep, too wide or too long. */
#pragma once

#include "base/bytes.h"
#include "tests/test.h"

/* A part again and again between two others; at most 32 MiB. */
static inline char *repeated(void *owner, const char *before, const char *part, size_t count,
                             const char *after)
{
    struct buffer text;
    buffer_init(&text, owner, 32 << 20);
    buffer_text(&text, before);
    for (size_t i = 0; i < count; i++)
        buffer_text(&text, part);
    buffer_text(&text, after);
    return (char *)text.data;
}
