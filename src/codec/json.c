/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in: limits first, then jansson. */
#include "codec/json.h"

struct scan {
    struct bytes in;
    size_t at, depth, nodes;
};

/* Move behind a string that begins at scan->at; its content is jansson's business. */
static void string_skip(struct scan *scan)
{
    for (scan->at++; scan->at < scan->in.size && scan->in.data[scan->at] != '"'; scan->at++)
        if (scan->in.data[scan->at] == '\\')
            scan->at++;
}

/* jansson recurses and allocates as it reads: this looks at the shape before. */
static bool shape_check(struct bytes in, const struct json_limits *limits, struct err *err)
{
    struct scan scan = {.in = in};
    for (; scan.at < in.size; scan.at++) {
        switch (in.data[scan.at]) {
        case '"': string_skip(&scan); continue;
        case '[':
        case '{':
            if (++scan.depth > limits->depth)
                return err_set(err, ERR_TOO_LARGE, "JSON nested deeper than %zu", limits->depth);
            break;
        case ']':
        case '}': scan.depth -= scan.depth > 0; break;
        case ',':
        case ':': break;
        default: continue;
        }
        if (++scan.nodes > limits->nodes)
            return err_set(err, ERR_TOO_LARGE, "JSON with more than %zu parts", limits->nodes);
    }
    return true;
}

bool json_parse(struct bytes in, const struct json_limits *limits, json_t **out, struct err *err)
{
    json_error_t error;
    if (in.size > limits->size)
        return err_set(err, ERR_TOO_LARGE, "JSON of %zu bytes, at most %zu allowed", in.size,
                       limits->size);
    /* jansson takes a NUL at the end for the end */
    if (in.size > 0 && memchr(in.data, 0, in.size))
        return err_set(err, ERR_BAD_INPUT, "JSON with a NUL byte");
    if (!shape_check(in, limits, err))
        return false;
    json_t *json = json_loadb(in.size > 0 ? (const char *)in.data : "", in.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json) {
        CLEANUP(mem_free_at) char *where = mem_format(NULL, "line %d", error.line);
        /* jansson's words are about itself: "not allowed without JSON_ALLOW_NUL" */
        return json_error_code(&error) == json_error_null_character
                   ? err_at(err, ERR_BAD_INPUT, where, "a text in the JSON contains \\u0000")
                   : err_at(err, ERR_BAD_INPUT, where, "not valid JSON: %s", error.text);
    }
    *out = json;
    return true;
}
