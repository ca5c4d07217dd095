/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bplist.h"

#include <string.h>

#define PAIRS_MAX 7 /* objects count in one byte, dictionary size in one nibble */
#define OUT_MAX 65536

static void text_add(struct buffer *out, uint64_t *offsets, size_t *count, const char *text)
{
    size_t size = strlen(text);
    offsets[(*count)++] = out->size;
    buffer_byte(out, (uint8_t)(0x50 | (size < 15 ? size : 15))); /* ASCII string */
    if (size >= 15) {
        buffer_byte(out, 0x11); /* its length as a 2-byte integer */
        buffer_byte(out, (uint8_t)(size >> 8));
        buffer_byte(out, (uint8_t)size);
    }
    buffer_text(out, text);
}

static void number_add(struct buffer *out, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        buffer_byte(out, (uint8_t)(number >> (8 * (i - 1))));
}

bool bplist_render(void *owner, const struct plist *dict, struct bytes *out, struct err *err)
{
    struct buffer file;
    uint64_t offsets[1 + 2 * PAIRS_MAX];
    size_t count = 1;
    buffer_init(&file, owner, OUT_MAX);
    if (dict->count > PAIRS_MAX)
        return err_set(err, ERR_TOO_LARGE, "a binary plist of more than %d pairs", PAIRS_MAX);
    buffer_text(&file, "bplist00");
    offsets[0] = file.size;
    buffer_byte(&file, (uint8_t)(0xd0 | dict->count));
    for (size_t i = 0; i < 2 * dict->count; i++) /* all keys, then all values */
        buffer_byte(&file, (uint8_t)(1 + i));
    for (const struct plist *one = dict->first; one; one = one->next)
        text_add(&file, offsets, &count, one->key);
    for (const struct plist *one = dict->first; one; one = one->next)
        text_add(&file, offsets, &count, one->text ? one->text : "");
    uint64_t table = file.size;
    for (size_t i = 0; i < count; i++)
        number_add(&file, offsets[i], 2);
    number_add(&file, 0, 6);
    buffer_byte(&file, 2); /* bytes of an offset */
    buffer_byte(&file, 1); /* bytes of a reference */
    number_add(&file, count, 8);
    number_add(&file, 0, 8); /* the top object */
    number_add(&file, table, 8);
    return buffer_done(&file, out, err);
}
