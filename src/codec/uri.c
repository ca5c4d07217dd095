/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/uri.h"

#include "base/mem.h"
#include "base/text.h"

/* Decode into raw, which has room for in.size bytes; *size gets what was written. */
static bool unescape(struct bytes in, bool plus_is_space, uint8_t *raw, size_t *size,
                     struct err *err)
{
    size_t to = 0;
    for (size_t at = 0; at < in.size; at++) {
        uint8_t byte = in.data[at];
        if (byte == '+' && plus_is_space)
            byte = ' ';
        if (byte == '%') {
            int high = in.size - at > 2 ? hex_value(in.data[at + 1]) : -1;
            int low = in.size - at > 2 ? hex_value(in.data[at + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(err, ERR_BAD_INPUT, "malformed escape at byte %zu", at);
            byte = (uint8_t)(high << 4 | low);
            at += 2;
        }
        raw[to++] = byte;
    }
    *size = to;
    return true;
}

bool uri_decode(void *owner, struct bytes in, bool plus_is_space, char **out, struct err *err)
{
    CLEANUP(mem_free_at) uint8_t *raw = mem_array(NULL, uint8_t, in.size + 1);
    size_t size = 0;
    if (!unescape(in, plus_is_space, raw, &size, err))
        return false;
    char *text = bytes_to_text(owner, (struct bytes){raw, size});
    if (!text)
        return err_set(err, ERR_BAD_INPUT, "escaped text is not UTF-8 without NUL");
    *out = text;
    return true;
}

static bool pair_parse(void *owner, struct bytes part, struct uri_pair *out, struct err *err)
{
    const uint8_t *equals = memchr(part.data, '=', part.size);
    size_t name_size = equals ? (size_t)(equals - part.data) : part.size;
    struct bytes value = NO_BYTES;
    char *name_text, *value_text;
    if (equals)
        value = (struct bytes){equals + 1, part.size - name_size - 1};
    if (!uri_decode(owner, (struct bytes){part.data, name_size}, true, &name_text, err) ||
        !uri_decode(owner, value, true, &value_text, err))
        return false;
    *out = (struct uri_pair){name_text, value_text};
    return true;
}

/* The bytes up to the next '&'; *at moves behind it. */
static struct bytes part_next(struct bytes in, size_t *at)
{
    struct bytes rest = {in.data + *at, in.size - *at};
    const uint8_t *end = memchr(rest.data, '&', rest.size);
    if (end)
        rest.size = (size_t)(end - rest.data);
    *at += rest.size + 1;
    return rest;
}

bool uri_query_parse(void *owner, struct bytes in, size_t limit, struct uri_query *out,
                     struct err *err)
{
    CLEANUP(mem_free_at) struct uri_pair *pairs = mem_array(NULL, struct uri_pair, 1);
    struct uri_query query = {pairs, 0};
    for (size_t at = 0; at < in.size;) {
        struct uri_pair pair;
        struct bytes part = part_next(in, &at);
        if (part.size == 0)
            continue;
        if (query.count == limit)
            return err_set(err, ERR_TOO_LARGE, "more than %zu query parameters", limit);
        query.pairs = pairs = mem_grow(NULL, pairs, query.count + 1);
        if (!pair_parse(pairs, part, &pair, err))
            return false;
        if (uri_query_get(&query, pair.name))
            return err_set(err, ERR_BAD_INPUT, "query parameter '%s' stands twice", pair.name);
        pairs[query.count++] = pair;
    }
    query.pairs = mem_give(owner, &pairs);
    *out = query;
    return true;
}

const char *uri_query_get(const struct uri_query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->pairs[i].name, name) == 0)
            return query->pairs[i].value;
    return NULL;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

char *uri_encode(void *owner, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *escaped = mem_array(owner, char, strlen(text) * 3 + 1);
    char *to = escaped;
    for (const char *at = text; *at; at++) {
        if (is_unreserved(*at)) {
            *to++ = *at;
            continue;
        }
        *to++ = '%';
        *to++ = digits[(uint8_t)*at >> 4];
        *to++ = digits[(uint8_t)*at & 15];
    }
    *to = '\0';
    return escaped;
}
