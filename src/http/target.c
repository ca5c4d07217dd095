/* SPDX-License-Identifier: Apache-2.0 */
#include "http/target.h"

#include "base/mem.h"
#include "base/text.h"

static bool segment_check(const char *segment, struct err *err)
{
    if (text_equal(segment, ".") || text_equal(segment, ".."))
        return err_set(err, ERR_BAD_INPUT, "the path holds a dot segment");
    for (const char *c = segment; *c; c++)
        if (*c == '/' || (unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(err, ERR_BAD_INPUT, "the path holds an escaped slash or control byte");
    return true;
}

/* One segment, decoded, behind a slash. */
static bool segment_add(struct buffer *path, struct bytes raw, struct err *err)
{
    CLEANUP(mem_free_at) char *segment = NULL;
    if (!uri_decode(NULL, raw, false, &segment, err))
        return err_context(err, "path");
    if (!segment_check(segment, err))
        return false;
    buffer_byte(path, '/');
    buffer_text(path, segment);
    return true;
}

static bool path_parse(struct buffer *path, struct bytes raw, struct err *err)
{
    size_t at = 0;
    while (at < raw.size) { /* at a slash */
        size_t start = ++at;
        while (at < raw.size && raw.data[at] != '/')
            at++;
        if (at == start && at < raw.size)
            return err_set(err, ERR_BAD_INPUT, "the path holds an empty segment");
        if (!segment_add(path, (struct bytes){raw.data + start, at - start}, err))
            return false;
    }
    return true;
}

/* One segment whatever it holds; still encoded. */
static bool tail_add(struct buffer *path, struct bytes raw, struct err *err)
{
    buffer_byte(path, '/');
    for (size_t i = 0; i < raw.size; i++) {
        if (raw.data[i] <= ' ' || raw.data[i] > '~')
            return err_set(err, ERR_BAD_INPUT, "the path holds a byte that must be escaped");
        if (raw.data[i] == '/')
            buffer_text(path, "%2F");
        else
            buffer_byte(path, raw.data[i]);
    }
    return true;
}

bool target_parse(const struct router *router, struct request *request, const char *target,
                  struct err *err)
{
    struct bytes whole = bytes_text(target);
    if (whole.size > HTTP_TARGET_SIZE)
        return err_set(err, ERR_TOO_LARGE, "the request line is too long");
    if (whole.size == 0 || whole.data[0] != '/')
        return err_set(err, ERR_BAD_INPUT, "the request line must hold a path");
    const char *mark = strchr(target, '?');
    size_t size = mark ? (size_t)(mark - target) : whole.size;
    size_t tail = router_tail(router, target);
    size_t head = tail ? tail - 1 : size; /* the slash before a tail belongs to it */
    struct buffer path;
    buffer_init(&path, request->owner, (size_t)3 * HTTP_TARGET_SIZE);
    if (!path_parse(&path, (struct bytes){whole.data, head}, err) ||
        (tail && !tail_add(&path, (struct bytes){whole.data + tail, size - tail}, err)))
        return false;
    request->path = buffer_string(&path);
    request->query_raw = NO_BYTES;
    if (mark)
        request->query_raw = bytes_copy(
            request->owner, (struct bytes){whole.data + size + 1, whole.size - size - 1});
    return true;
}
