/* SPDX-License-Identifier: Apache-2.0 */
/* A tree to XML in the layout that Apple's own tools write. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/escape.h"
#include "codec/plist_tree.h"

#define DATA_LINE 76 /* columns of a line of base64, a tab counted as 8 */
#define TAB 8
#define DATA_LINE_LEAST 20 /* characters, however deep */

static const char prologue[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                               "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                               "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                               "<plist version=\"1.0\">\n";

static void indent(struct buffer *out, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        buffer_byte(out, '\t');
}

static bool text_render(struct buffer *out, const char *element, const char *text, struct err *err)
{
    buffer_format(out, "<%s>", element);
    if (!xml_escape(out, text, false))
        return err_set(err, ERR_BAD_INPUT, "text holds characters that XML cannot carry");
    buffer_format(out, "</%s>\n", element);
    return true;
}

static void data_render(struct buffer *out, struct bytes data, size_t depth)
{
    CLEANUP(mem_free_at) char *text = base64_encode(NULL, data);
    size_t size = strlen(text);
    size_t line =
        depth * TAB + DATA_LINE_LEAST < DATA_LINE ? DATA_LINE - depth * TAB : DATA_LINE_LEAST;
    buffer_text(out, "<data>\n");
    for (size_t at = 0; at < size && !out->failed; at += line) {
        indent(out, depth);
        buffer_format(out, "%.*s\n", (int)line, text + at);
    }
    indent(out, depth);
    buffer_text(out, "</data>\n");
}

/* The shortest decimal that reads back as the same number. */
static bool real_render(struct buffer *out, double real, struct err *err)
{
    char text[40] = "";
    if (!isfinite(real))
        return err_set(err, ERR_BAD_INPUT, "number is not finite");
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    buffer_format(out, "<real>%s</real>\n", text);
    return true;
}

static bool date_add(struct buffer *out, int64_t at, struct err *err)
{
    char text[DATE_SIZE + 1];
    if (!date_render(at, text))
        return err_set(err, ERR_BAD_INPUT, "date outside the years 1 to 9999");
    buffer_format(out, "<date>%s</date>\n", text);
    return true;
}

static bool value_render(struct buffer *out, const struct plist *value, size_t depth,
                         struct err *err);

static bool container_render(struct buffer *out, const struct plist *value, size_t depth,
                             struct err *err)
{
    const char *name = value->type == PLIST_DICT ? "dict" : "array";
    if (!value->first) {
        buffer_format(out, "<%s/>\n", name);
        return true;
    }
    if (depth >= PLIST_DEPTH_MOST)
        return err_set(err, ERR_TOO_LARGE, "containers nested deeper than %d", PLIST_DEPTH_MOST);
    buffer_format(out, "<%s>\n", name);
    for (const struct plist *child = value->first; child && !out->failed; child = child->next) {
        indent(out, depth + 1);
        if (value->type == PLIST_DICT) {
            if (!text_render(out, "key", child->key, err))
                return false;
            indent(out, depth + 1);
        }
        if (!value_render(out, child, depth + 1, err))
            return false;
    }
    indent(out, depth);
    buffer_format(out, "</%s>\n", name);
    return true;
}

static bool value_render(struct buffer *out, const struct plist *value, size_t depth,
                         struct err *err)
{
    switch (value->type) {
    case PLIST_DICT:
    case PLIST_ARRAY: return container_render(out, value, depth, err);
    case PLIST_TEXT: return text_render(out, "string", value->text, err);
    case PLIST_INTEGER:
        buffer_format(out, "<integer>%" PRId64 "</integer>\n", value->integer);
        break;
    case PLIST_REAL: return real_render(out, value->real, err);
    case PLIST_BOOLEAN: buffer_text(out, value->integer ? "<true/>\n" : "<false/>\n"); break;
    case PLIST_DATE: return date_add(out, value->integer, err);
    case PLIST_DATA: data_render(out, value->data, depth); break;
    }
    return true;
}

bool plist_render(void *owner, const struct plist *plist, size_t limit, struct bytes *out,
                  struct err *err)
{
    CLEANUP(mem_free_at) void *work = mem_text(NULL, "");
    struct buffer buffer;
    struct bytes done;
    buffer_init(&buffer, work, limit);
    buffer_text(&buffer, prologue);
    if (!value_render(&buffer, plist, 0, err))
        return false;
    buffer_text(&buffer, "</plist>\n");
    if (!buffer_done(&buffer, &done, err))
        return false;
    *out = (struct bytes){mem_give(owner, &buffer.data), done.size};
    return true;
}
