/* SPDX-License-Identifier: Apache-2.0 */
/* PEM blocks: boundary lines around base64. */
#include "codec/base64.h"

#include "base/mem.h"

#define LINE_SIZE 64 /* characters of base64 in one line (RFC 7468 2) */
#define LABEL_MAX 64 /* bytes of a label that we look at */

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ", dashes[] = "-----";

static size_t text_find(struct bytes in, size_t from, const char *text)
{
    const uint8_t *at =
        from < in.size ? memmem(in.data + from, in.size - from, text, strlen(text)) : NULL;
    return at ? (size_t)(at - in.data) : in.size;
}

static bool starts_line(struct bytes in, size_t at)
{
    return at == 0 || in.data[at - 1] == '\n' || in.data[at - 1] == '\r';
}

/* The next boundary at or behind *at with its label; *at moves behind it. */
static bool begin_find(struct bytes in, size_t *at, char label[LABEL_MAX])
{
    for (;;) {
        size_t begin = text_find(in, *at, begin_mark);
        if (begin == in.size)
            return false;
        size_t name = begin + strlen(begin_mark);
        size_t end = text_find(in, name, dashes);
        *at = name;
        if (!starts_line(in, begin) || end == in.size || end - name >= LABEL_MAX ||
            memchr(in.data + name, '\n', end - name) || memchr(in.data + name, 0, end - name))
            continue;
        memcpy(label, in.data + name, end - name);
        label[end - name] = '\0';
        *at = end + strlen(dashes);
        return true;
    }
}

bool pem_decode(void *owner, struct bytes in, const char *label, size_t limit, struct bytes *out,
                struct err *err)
{
    char found[LABEL_MAX];
    size_t at = 0;
    do {
        if (!begin_find(in, &at, found))
            return err_set(err, ERR_NOT_FOUND, "no PEM block%s%s", label ? " " : "",
                           label ? label : "");
    } while (label && strcmp(found, label) != 0);
    CLEANUP(mem_free_at) char *closing = mem_format(NULL, "%s%s%s", end_mark, found, dashes);
    size_t end = text_find(in, at, closing);
    if (end == in.size || !starts_line(in, end))
        return err_set(err, ERR_BAD_INPUT, "PEM block %s does not end", found);
    struct bytes body = {in.data + at, end - at};
    return base64_decode_spaced(owner, body, limit, out, err) ||
           err_context(err, "PEM block %s", found);
}

char *pem_encode(void *owner, const char *label, struct bytes der)
{
    CLEANUP(mem_free_at) char *text = base64_encode(NULL, der);
    size_t size = strlen(text);
    struct buffer out;
    buffer_init(&out, owner, MEM_LARGEST);
    buffer_format(&out, "%s%s%s\n", begin_mark, label, dashes);
    for (size_t at = 0; at < size; at += LINE_SIZE)
        buffer_format(&out, "%.*s\n", LINE_SIZE, text + at);
    buffer_format(&out, "%s%s%s\n", end_mark, label, dashes);
    return (char *)out.data;
}
