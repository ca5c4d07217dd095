/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as YAML 1.2 in block style; strings are plain where no reader can take them for
 * something else, otherwise in double quotes, whose escapes are those of JSON;
 * what does not show is escaped, and YAML allows some of it in no other way. */
#include <ctype.h>

#include "base/text.h"
#include "cli/show.h"

#define STEP 2 /* spaces */

/* Letters first, and nothing but letters, digits and - _ . / inside: never a number, a date, a
 * mapping or a tag; words that some reader takes for a truth or for nothing are excepted. */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "yes",  "no",  "on",
                                        "off",  "y",     "n",    ".nan", ".inf"};
    if (!isalpha((unsigned char)text[0]))
        return false;
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_./", *at))
            return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (text_equal_nocase(text, words[i]))
            return false;
    return true;
}

static void string_add(struct buffer *out, const char *text)
{
    if (is_plain(text)) {
        buffer_text(out, text);
        return;
    }
    CLEANUP(json_decref_at) json_t *string = json_string(text);
    CLEANUP(mem_free_at) char *quoted = json_text(NULL, string);
    show_escaped(out, bytes_text(quoted), true);
}

static void value_add(struct buffer *out, const json_t *value, size_t indent, bool is_item);

static void line_begin(struct buffer *out, size_t indent, bool *is_first, bool continues)
{
    if (!*is_first || !continues)
        buffer_format(out, "%*s", (int)indent, "");
    *is_first = false;
}

static void object_add(struct buffer *out, const json_t *object, size_t indent, bool continues)
{
    const char *name;
    json_t *value;
    bool is_first = true;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        line_begin(out, indent, &is_first, continues);
        string_add(out, name);
        buffer_byte(out, ':');
        value_add(out, value, indent + STEP, false);
    }
}

static void array_add(struct buffer *out, const json_t *array, size_t indent, bool continues)
{
    bool is_first = true;
    for (size_t i = 0; i < json_array_size(array); i++) {
        line_begin(out, indent, &is_first, continues);
        buffer_byte(out, '-');
        value_add(out, json_array_get(array, i), indent + STEP, true);
    }
}

static bool is_block(const json_t *value)
{
    return json_object_size(value) > 0 || json_array_size(value) > 0;
}

/* Behind "name:" or "-": the value, and the end of its line. An item's block begins on its line. */
static void value_add(struct buffer *out, const json_t *value, size_t indent, bool is_item)
{
    if (is_block(value)) {
        buffer_byte(out, is_item ? ' ' : '\n');
        if (json_is_object(value))
            object_add(out, value, indent, is_item);
        else
            array_add(out, value, indent, is_item);
        return;
    }
    buffer_byte(out, ' ');
    if (json_is_string(value)) {
        string_add(out, json_string_value(value));
    } else {
        CLEANUP(mem_free_at) char *text = json_text(NULL, value);
        buffer_text(out, text);
    }
    buffer_byte(out, '\n');
}

void show_yaml(struct buffer *out, const json_t *value)
{
    if (json_is_object(value) && is_block(value)) {
        object_add(out, value, 0, false);
    } else if (is_block(value)) {
        array_add(out, value, 0, false);
    } else {
        CLEANUP(mem_free_at) char *text = json_text(NULL, value);
        buffer_format(out, "%s\n", text);
    }
}
