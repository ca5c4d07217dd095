/* SPDX-License-Identifier: Apache-2.0 */
/* JSON out: jansson prints 0.1 with 17 digits; here a number has as many as it needs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "codec/json.h"

struct writer {
    struct buffer out;
    bool sorted; /* keys in byte order instead of insertion order */
};

static void string_write(struct writer *writer, const char *text, size_t size)
{
    static const char short_forms[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    struct buffer *out = &writer->out;
    size_t plain = 0;
    buffer_byte(out, '"');
    for (size_t at = 0; at < size; at++) {
        uint8_t byte = (uint8_t)text[at];
        char form = byte < sizeof(short_forms) ? short_forms[byte] : 0;
        if (byte >= 0x20 && !form)
            continue;
        buffer_add(out, (struct bytes){(const uint8_t *)text + plain, at - plain});
        plain = at + 1;
        if (form)
            buffer_format(out, "\\%c", form);
        else
            buffer_format(out, "\\u%04x", byte);
    }
    buffer_add(out, (struct bytes){(const uint8_t *)text + plain, size - plain});
    buffer_byte(out, '"');
}

/* The shortest form that reads back as the same number, and as a real. */
static void real_write(struct writer *writer, double real)
{
    char text[40] = "";
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    buffer_text(&writer->out, text);
    if (!strpbrk(text, ".e"))
        buffer_text(&writer->out, ".0");
}

static int keys_compare(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static void value_write(struct writer *writer, const json_t *value);

static void array_write(struct writer *writer, const json_t *array)
{
    buffer_byte(&writer->out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            buffer_byte(&writer->out, ',');
        value_write(writer, json_array_get(array, i));
    }
    buffer_byte(&writer->out, ']');
}

static void object_write(struct writer *writer, const json_t *object)
{
    size_t count = 0;
    CLEANUP(mem_free_at)
    const char **keys = mem_array(NULL, const char *, json_object_size(object) + 1);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) keys[count++] = key;
    if (writer->sorted)
        qsort(keys, count, sizeof(*keys), keys_compare);
    buffer_byte(&writer->out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_byte(&writer->out, ',');
        string_write(writer, keys[i], strlen(keys[i]));
        buffer_byte(&writer->out, ':');
        value_write(writer, json_object_get(object, keys[i]));
    }
    buffer_byte(&writer->out, '}');
}

static void value_write(struct writer *writer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: object_write(writer, value); break;
    case JSON_ARRAY: array_write(writer, value); break;
    case JSON_STRING:
        string_write(writer, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        buffer_format(&writer->out, "%" PRId64, (int64_t)json_integer_value(value));
        break;
    case JSON_REAL: real_write(writer, json_real_value(value)); break;
    case JSON_TRUE: buffer_text(&writer->out, "true"); break;
    case JSON_FALSE: buffer_text(&writer->out, "false"); break;
    case JSON_NULL: buffer_text(&writer->out, "null"); break;
    }
}

static char *write(void *owner, const json_t *value, bool sorted)
{
    struct writer writer = {.sorted = sorted};
    buffer_init(&writer.out, owner, MEM_LARGEST / 2);
    value_write(&writer, value);
    if (writer.out.failed) /* what we print comes out of bounded inputs and pages */
        bug("JSON of more than %zu bytes", writer.out.limit);
    return (char *)writer.out.data;
}

char *json_canonical(void *owner, const json_t *value)
{
    return write(owner, value, true);
}

char *json_text(void *owner, const json_t *value)
{
    return write(owner, value, false);
}

void json_set(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) != 0)
        bug("no JSON for %s", name);
}
