/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary property lists ("bplist00"): header, objects, offset table, trailer of 32 bytes.
 *
 * Objects are shared by reference, so a small file can describe a huge tree; nodes and bytes are
 * counted as expanded, and an object inside itself is refused.  Format: Apple's CFBinaryPList.c.
 */
#include <math.h>

#include "base/mem.h"
#include "codec/date.h"
#include "codec/plist_tree.h"

#define HEADER_SIZE 8
#define TRAILER_SIZE 32
#define EPOCH_2001 978307200 /* 2001-01-01T00:00:00Z: Apple's dates count from there */

enum marker { /* high half of an object's first byte */
              MARK_SIMPLE = 0x0,
              MARK_INTEGER = 0x1,
              MARK_REAL = 0x2,
              MARK_DATE = 0x3,
              MARK_DATA = 0x4,
              MARK_ASCII = 0x5,
              MARK_UTF16 = 0x6,
              MARK_ARRAY = 0xA,
              MARK_DICT = 0xD,
};

struct path { /* the containers around the object being read */
    const struct path *up;
    uint64_t object;
    size_t depth;
};

struct state {
    const struct plist_limits *limits;
    struct bytes objects, table; /* from the start of the file; the offset table alone */
    unsigned offset_size, reference_size;
    uint64_t object_count;
    size_t nodes, expanded;
    struct buffer key, text;
};

struct place { /* where a value goes */
    struct plist *parent;
    bool has_key; /* it is in state->key */
    const struct path *path;
};

static uint64_t number_take(struct reader *reader, size_t size)
{
    struct bytes taken = reader_take(reader, size);
    uint64_t number = 0;
    for (size_t i = 0; i < taken.size; i++)
        number = number << 8 | taken.data[i];
    return number;
}

static bool reference_check(const struct state *state, uint64_t object, struct err *err)
{
    return object < state->object_count ||
           err_set(err, ERR_BAD_INPUT, "reference to an object that does not exist");
}

/* A reader at the start of an object; it cannot run into the offset table. */
static bool object_find(const struct state *state, uint64_t object, struct reader *out,
                        struct err *err)
{
    if (!reference_check(state, object, err))
        return false;
    struct reader table = reader_of(state->table);
    (void)reader_take(&table, (size_t)object * state->offset_size);
    uint64_t offset = number_take(&table, state->offset_size);
    if (!reader_ok(&table) || offset < HEADER_SIZE || offset >= state->objects.size)
        return err_set(err, ERR_BAD_INPUT, "object outside of the file");
    struct reader reader = reader_of(state->objects);
    (void)reader_take(&reader, (size_t)offset);
    *out = reader;
    return true;
}

/* The count in a marker's low half; 15 means that an integer object follows. */
static bool count_read(struct reader *reader, uint8_t marker, size_t item_size, size_t *out,
                       struct err *err)
{
    uint64_t count = marker & 15, size;
    if (count == 15) {
        uint8_t next = reader_u8(reader);
        if (next >> 4 != MARK_INTEGER || (next & 15) > 3)
            return err_set(err, ERR_BAD_INPUT, "malformed count");
        count = number_take(reader, (size_t)1 << (next & 15));
    }
    if (!reader_ok(reader) || __builtin_mul_overflow(count, item_size, &size) ||
        size > reader_left(reader))
        return err_set(err, ERR_BAD_INPUT, "object runs over its end");
    *out = (size_t)count;
    return true;
}

static bool expand(struct state *state, size_t size, struct err *err)
{
    state->expanded += size;
    return state->expanded <= state->limits->size ||
           err_set(err, ERR_TOO_LARGE, "property list of more than %zu bytes when expanded",
                   state->limits->size);
}

static void utf8_add(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_byte(out, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        buffer_byte(out, (uint8_t)(0xC0 | code >> 6));
    } else if (code < 0x10000) {
        buffer_byte(out, (uint8_t)(0xE0 | code >> 12));
        buffer_byte(out, (uint8_t)(0x80 | (code >> 6 & 63)));
    } else {
        buffer_byte(out, (uint8_t)(0xF0 | code >> 18));
        buffer_byte(out, (uint8_t)(0x80 | (code >> 12 & 63)));
        buffer_byte(out, (uint8_t)(0x80 | (code >> 6 & 63)));
    }
    buffer_byte(out, (uint8_t)(0x80 | (code & 63)));
}

static bool utf16_read(struct reader *reader, size_t units, struct buffer *out)
{
    struct reader in = reader_of(reader_take(reader, units * 2));
    while (reader_left(&in) > 0) {
        uint32_t code = reader_u16(&in);
        if (code >= 0xD800 && code < 0xDC00) {
            uint32_t low = reader_u16(&in);
            if (low < 0xDC00 || low > 0xDFFF)
                return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else if (code == 0 || (code >= 0xDC00 && code <= 0xDFFF)) {
            return false;
        }
        utf8_add(out, code);
    }
    return reader_ok(&in);
}

static bool ascii_read(struct reader *reader, size_t size, struct buffer *out)
{
    struct bytes text = reader_take(reader, size);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == 0 || text.data[i] > 127)
            return false;
    buffer_add(out, text);
    return true;
}

/* A string object into a buffer, as UTF-8. */
static bool text_read(struct state *state, struct reader *reader, uint8_t marker,
                      struct buffer *out, struct err *err)
{
    bool is_wide = marker >> 4 == MARK_UTF16;
    size_t count = 0;
    if (!is_wide && marker >> 4 != MARK_ASCII)
        return err_set(err, ERR_BAD_INPUT, "key that is no string");
    if (!count_read(reader, marker, is_wide ? 2 : 1, &count, err) || !expand(state, count, err))
        return false;
    buffer_clear(out);
    if (!(is_wide ? utf16_read(reader, count, out) : ascii_read(reader, count, out)))
        return err_set(err, ERR_BAD_INPUT, "malformed string");
    return true;
}

static struct plist *node_add(const struct state *state, const struct place *place,
                              enum plist_type type, struct bytes content)
{
    const char *key = place->has_key ? buffer_string(&state->key) : NULL;
    return plist_node(NULL, place->parent, type, key, content);
}

static bool integer_read(struct reader *reader, uint8_t marker, int64_t *out)
{
    size_t size = (size_t)1 << (marker & 15 & 7);
    if ((marker & 15) > 4)
        return false;
    uint64_t high = size == 16 ? reader_u64(reader) : 0;
    uint64_t low = number_take(reader, size == 16 ? 8 : size);
    int64_t value = (int64_t)low; /* 8 bytes are signed, fewer are not */
    /* 16 bytes: only what 8 could have said */
    if (size == 16 && high != (value < 0 ? UINT64_MAX : 0))
        return false;
    *out = value;
    return true;
}

static bool real_read(struct reader *reader, uint8_t marker, double *out)
{
    if ((marker & 15) == 2) {
        uint32_t bits = reader_u32(reader);
        float real;
        memcpy(&real, &bits, sizeof(real));
        *out = (double)real;
        return isfinite(*out);
    }
    uint64_t bits = reader_u64(reader);
    memcpy(out, &bits, sizeof(*out));
    return (marker & 15) == 3 && isfinite(*out);
}

static bool date_read(struct reader *reader, uint8_t marker, int64_t *out)
{
    double seconds;
    if (marker != 0x33 || !real_read(reader, 0x23, &seconds))
        return false;
    seconds = floor(seconds);
    if (seconds < (double)(DATE_LOWEST - EPOCH_2001) ||
        seconds > (double)(DATE_HIGHEST - EPOCH_2001))
        return false;
    *out = (int64_t)seconds + EPOCH_2001;
    return true;
}

/* Numbers, dates and booleans. */
static bool scalar_read(struct state *state, struct reader *reader, uint8_t marker,
                        const struct place *place, struct err *err)
{
    struct plist value = {.type = PLIST_BOOLEAN};
    bool fits = false;
    switch (marker >> 4) {
    case MARK_SIMPLE:
        value.integer = marker == 0x09;
        fits = marker == 0x08 || marker == 0x09;
        break;
    case MARK_INTEGER:
        value.type = PLIST_INTEGER;
        fits = integer_read(reader, marker, &value.integer);
        break;
    case MARK_REAL:
        value.type = PLIST_REAL;
        fits = real_read(reader, marker, &value.real);
        break;
    case MARK_DATE:
        value.type = PLIST_DATE;
        fits = date_read(reader, marker, &value.integer);
        break;
    default: break; /* UID, set and whatever comes */
    }
    if (!fits || !reader_ok(reader))
        return err_set(err, ERR_BAD_INPUT, "malformed or unknown object 0x%02x", marker);
    struct plist *node = node_add(state, place, value.type, NO_BYTES);
    node->integer = value.integer;
    node->real = value.real;
    return true;
}

static bool data_read(struct state *state, struct reader *reader, uint8_t marker,
                      const struct place *place, struct err *err)
{
    size_t size = 0;
    if (!count_read(reader, marker, 1, &size, err) || !expand(state, size, err))
        return false;
    (void)node_add(state, place, PLIST_DATA, reader_take(reader, size));
    return true;
}

static bool value_read(struct state *state, uint64_t object, const struct place *place,
                       struct err *err);

static bool key_read(struct state *state, uint64_t object, struct err *err)
{
    struct reader reader;
    return object_find(state, object, &reader, err) &&
           text_read(state, &reader, reader_u8(&reader), &state->key, err);
}

/* count references to values follow; in a dict as many references to keys stand before them. */
static bool members_read(struct state *state, struct reader *reader, size_t count,
                         const struct place *place, struct err *err)
{
    bool is_dict = place->parent->type == PLIST_DICT;
    struct reader keys = *reader;
    if (is_dict)
        (void)reader_take(reader, count * state->reference_size);
    for (size_t i = 0; i < count; i++) {
        if (is_dict && !key_read(state, number_take(&keys, state->reference_size), err))
            return false;
        if (!value_read(state, number_take(reader, state->reference_size), place, err))
            return false;
    }
    return !is_dict || plist_keys_check(place->parent, err);
}

static bool container_read(struct state *state, struct reader *reader, uint8_t marker,
                           uint64_t object, const struct place *place, struct err *err)
{
    const struct path path = {place->path, object, place->path ? place->path->depth + 1 : 1};
    bool is_dict = marker >> 4 == MARK_DICT;
    size_t count = 0;
    for (const struct path *up = place->path; up; up = up->up)
        if (up->object == object)
            return err_set(err, ERR_BAD_INPUT, "container inside itself");
    if (path.depth > state->limits->depth || path.depth > PLIST_DEPTH_MOST)
        return err_set(err, ERR_TOO_LARGE, "containers nested deeper than %zu", path.depth - 1);
    if (!count_read(reader, marker, state->reference_size * (is_dict ? 2u : 1u), &count, err))
        return false;
    struct plist *node = node_add(state, place, is_dict ? PLIST_DICT : PLIST_ARRAY, NO_BYTES);
    struct place inside = {node, is_dict, &path};
    return members_read(state, reader, count, &inside, err);
}

static bool value_read(struct state *state, uint64_t object, const struct place *place,
                       struct err *err)
{
    struct reader reader;
    if (++state->nodes > state->limits->nodes)
        return err_set(err, ERR_TOO_LARGE, "more than %zu values", state->limits->nodes);
    if (!object_find(state, object, &reader, err))
        return false;
    uint8_t marker = reader_u8(&reader);
    switch (marker >> 4) {
    case MARK_ARRAY:
    case MARK_DICT: return container_read(state, &reader, marker, object, place, err);
    case MARK_DATA: return data_read(state, &reader, marker, place, err);
    case MARK_ASCII:
    case MARK_UTF16:
        if (!text_read(state, &reader, marker, &state->text, err))
            return false;
        (void)node_add(state, place, PLIST_TEXT, bytes_text(buffer_string(&state->text)));
        return true;
    default: return scalar_read(state, &reader, marker, place, err);
    }
}

static bool trailer_read(struct state *state, struct bytes in, uint64_t *top, struct err *err)
{
    if (in.size < HEADER_SIZE + TRAILER_SIZE || memcmp(in.data, "bplist00", HEADER_SIZE) != 0)
        return err_set(err, ERR_BAD_INPUT, "not a binary property list of version 00");
    size_t end = in.size - TRAILER_SIZE;
    struct reader trailer = reader_of((struct bytes){in.data + end, TRAILER_SIZE});
    (void)reader_take(&trailer, 6); /* unused, and the sort version */
    state->offset_size = reader_u8(&trailer);
    state->reference_size = reader_u8(&trailer);
    state->object_count = reader_u64(&trailer);
    *top = reader_u64(&trailer);
    uint64_t table = reader_u64(&trailer);
    if (state->offset_size < 1 || state->offset_size > 8 || state->reference_size < 1 ||
        state->reference_size > 8)
        return err_set(err, ERR_BAD_INPUT, "bad sizes in the trailer");
    if (table < HEADER_SIZE || table > end ||
        state->object_count != (end - table) / state->offset_size ||
        (end - table) % state->offset_size != 0)
        return err_set(err, ERR_BAD_INPUT, "offset table does not end at the trailer");
    state->objects = (struct bytes){in.data, (size_t)table};
    state->table = (struct bytes){in.data + table, end - (size_t)table};
    return reference_check(state, *top, err);
}

bool plist_binary_parse(void *owner, struct bytes in, const struct plist_limits *limits,
                        struct plist **out, struct err *err)
{
    CLEANUP(mem_free_at) struct plist *holder = plist_new_array(NULL);
    struct state state = {.limits = limits};
    uint64_t top = 0;
    buffer_init(&state.key, holder, limits->size * 3);
    buffer_init(&state.text, holder, limits->size * 3);
    const struct place place = {holder, false, NULL};
    if (!trailer_read(&state, in, &top, err) || !value_read(&state, top, &place, err))
        return false;
    *out = mem_give(owner, &holder->first);
    return true;
}
