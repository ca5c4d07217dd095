/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/der.h"

#include "base/mem.h"

#define DER_DEPTH_MAX 24
#define DER_ELEMENTS_MAX 4096
#define DER_MESSAGE_MAX (8u << 20) /* bytes in one structure that we write */
#define BER_SIZE_MAX (1u << 20)    /* bytes */
#define BER_CONSTRUCTED_OCTETS 0x24
#define BER_INDEFINITE 0x80

void der_refuse(struct reader *in)
{
    in->failed = true;
}

static size_t der_length(struct reader *in)
{
    uint8_t first = reader_u8(in);
    if (first < 0x80)
        return first;
    unsigned count = first & 0x7f;
    if (count == 0 || count > 4)
        der_refuse(in);
    size_t length = 0;
    for (unsigned i = 0; i < count && reader_ok(in); i++)
        length = length << 8 | reader_u8(in);
    return length;
}

struct der_element der_next(struct reader *in)
{
    size_t start = in->at;
    struct der_element element = {.tag = reader_u8(in)};
    if ((element.tag & 0x1f) == 0x1f)
        der_refuse(in);
    element.content = reader_take(in, der_length(in));
    if (!reader_ok(in))
        return (struct der_element){0};
    element.whole = (struct bytes){in->in.data + start, in->at - start};
    return element;
}

struct bytes der_take(struct reader *in, uint8_t tag)
{
    struct der_element element = der_next(in);
    if (element.tag != tag)
        der_refuse(in);
    return reader_ok(in) ? element.content : NO_BYTES;
}

bool der_peek(const struct reader *in, uint8_t tag)
{
    return reader_ok(in) && reader_left(in) > 0 && in->in.data[in->at] == tag;
}

bool der_is_whole(struct bytes in)
{
    struct reader reader = reader_of(in);
    (void)der_next(&reader);
    return reader_done(&reader);
}

/* ---- writing ---- */

static void der_head(struct buffer *out, uint8_t tag, size_t size)
{
    buffer_byte(out, tag);
    if (size < 0x80) {
        buffer_byte(out, (uint8_t)size);
        return;
    }
    unsigned count = size < 0x100 ? 1 : size < 0x10000 ? 2 : size < 0x1000000 ? 3 : 4;
    buffer_byte(out, (uint8_t)(0x80 | count));
    for (unsigned i = count; i > 0; i--)
        buffer_byte(out, (uint8_t)(size >> (8 * (i - 1))));
}

struct bytes der_make(void *owner, uint8_t tag, const struct bytes *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    struct buffer out;
    buffer_init(&out, owner, DER_MESSAGE_MAX);
    der_head(&out, tag, size);
    for (size_t i = 0; i < count; i++)
        buffer_add(&out, parts[i]);
    if (out.failed)
        bug("a structure of ours exceeds %u bytes", DER_MESSAGE_MAX);
    return (struct bytes){out.data, out.size};
}

static int compare_encodings(const void *left, const void *right)
{
    const struct bytes *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

struct bytes der_make_set(void *owner, uint8_t tag, struct bytes *parts, size_t count)
{
    qsort(parts, count, sizeof(*parts), compare_encodings);
    return der_make(owner, tag, parts, count);
}

/* ---- BER to DER ---- */

struct normaliser {
    void *owner; /* everything in between, freed at the end */
    unsigned elements;
};

static bool normalise_element(struct normaliser *state, struct reader *in, unsigned depth,
                              struct bytes *out);

/* The children up to the end of the reader, or up to the end-of-contents octets. */
static bool normalise_children(struct normaliser *state, struct reader *in, bool indefinite,
                               bool join, unsigned depth, struct bytes *out)
{
    struct buffer content;
    buffer_init(&content, state->owner, in->in.size * 4 + 64);
    while (indefinite || reader_left(in) > 0) {
        if (indefinite && der_peek(in, 0)) {
            struct bytes end = reader_take(in, 2);
            if (!reader_ok(in) || end.data[1] != 0)
                return false;
            break;
        }
        struct bytes child;
        if (!normalise_element(state, in, depth + 1, &child))
            return false;
        if (join) { /* pieces of one octet string */
            struct reader piece = reader_of(child);
            child = der_take(&piece, DER_OCTET_STRING);
            if (!reader_done(&piece))
                return false;
        }
        buffer_add(&content, child);
    }
    *out = (struct bytes){content.data, content.size};
    return !content.failed;
}

static bool normalise_element(struct normaliser *state, struct reader *in, unsigned depth,
                              struct bytes *out)
{
    if (depth > DER_DEPTH_MAX || ++state->elements > DER_ELEMENTS_MAX || reader_left(in) < 2)
        return false;
    const uint8_t *at = in->in.data + in->at;
    uint8_t tag = at[0];
    bool constructed = tag & 0x20, indefinite = at[1] == BER_INDEFINITE;
    if ((indefinite && !constructed) || (tag & 0x1f) == 0x1f || tag == 0)
        return false;
    bool join = tag == BER_CONSTRUCTED_OCTETS;
    struct bytes content;
    if (indefinite) {
        (void)reader_take(in, 2);
        if (!normalise_children(state, in, true, join, depth, &content))
            return false;
    } else {
        content = der_next(in).content;
        struct reader inside = reader_of(content);
        if (!reader_ok(in) ||
            (constructed && !normalise_children(state, &inside, false, join, depth, &content)))
            return false;
    }
    *out = DER_MAKE(state->owner, join ? DER_OCTET_STRING : tag, content);
    return true;
}

bool der_normalise(void *owner, struct bytes in, struct bytes *out, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct normaliser state = {.owner = scratch};
    struct reader reader = reader_of(in);
    struct bytes result;
    if (in.size > BER_SIZE_MAX || !normalise_element(&state, &reader, 0, &result) ||
        !reader_done(&reader))
        return err_set(err, ERR_BAD_INPUT, "not one well-formed ASN.1 structure");
    *out = bytes_copy(owner, result);
    return true;
}
