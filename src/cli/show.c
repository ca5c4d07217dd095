/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <inttypes.h>
#include <limits.h>
#include <wchar.h>

#include "base/text.h"

#define GAP 2            /* spaces between columns */
#define LINE_LONGEST 160 /* characters of a member's value */

/* ---- text ---- */

/* Marks that show nothing and turn or hide what stands around them: zero width, direction. */
static bool is_invisible(wchar_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF || c == 0x061C;
}

/* The size of the character at text, 1 for what is none. */
static size_t character_at(const char *text, wchar_t *out)
{
    mbstate_t state = {0};
    size_t size = mbrtowc(out, text, strlen(text), &state);
    if (size == 0 || size > MB_LEN_MAX) {
        *out = L'\0';
        return 1;
    }
    return size;
}

char *show_safe(void *owner, const char *text)
{
    struct buffer safe;
    size_t size;
    CLEANUP(mem_free_at) char *scratch = mem_text(NULL, "");
    buffer_init(&safe, scratch, strlen(text) + 1);
    for (const char *at = text; *at; at += size) {
        wchar_t c;
        size = character_at(at, &c);
        if (c == L'\0' || wcwidth(c) < 0 || is_invisible(c))
            buffer_byte(&safe, '?');
        else
            buffer_add(&safe, (struct bytes){(const uint8_t *)at, size});
    }
    return mem_text(owner, buffer_string(&safe));
}

size_t show_width(const char *text)
{
    size_t width = 0, size;
    for (const char *at = text; *at; at += size) {
        wchar_t c;
        size = character_at(at, &c);
        int columns = wcwidth(c);
        width += columns > 0 ? (size_t)columns : 0;
    }
    return width;
}

char *show_text(void *owner, const json_t *value)
{
    if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)))
        return mem_text(owner, "-");
    if (json_is_string(value))
        return show_safe(owner, json_string_value(value));
    if (json_is_boolean(value))
        return mem_text(owner, json_is_true(value) ? "yes" : "no");
    CLEANUP(mem_free_at) char *text = json_text(NULL, value);
    return show_safe(owner, text);
}

/* ---- colours ---- */

void show_state(struct buffer *out, const char *state, bool has_colour)
{
    static const struct {
        const char *state, *code; /* ECMA-48 SGR: green, yellow, red */
    } colours[] = {
        {"compliant", "32"},     {"verified", "32"}, {"active", "32"}, {"in_grace_period", "33"},
        {"unknown", "33"},       {"pending", "33"},  {"queued", "33"}, {"non_compliant", "31"},
        {"not_evaluated", "33"}, {"error", "31"},    {"failed", "31"}, {"revoked", "31"},
    };
    for (size_t i = 0; has_colour && i < COUNT(colours); i++) {
        if (text_equal(state, colours[i].state)) {
            buffer_format(out, "\033[%sm%s\033[0m", colours[i].code, state);
            return;
        }
    }
    buffer_text(out, state);
}

/* ---- tables ---- */

static size_t column_count(const struct column *columns)
{
    size_t count = 0;
    while (count < COMMAND_COLUMNS_MAX && columns[count].title)
        count++;
    return count;
}

static void pad(struct buffer *out, size_t width)
{
    buffer_format(out, "%*s", (int)width, "");
}

static void row_add(struct buffer *out, char *const *cells, size_t count, const size_t *widths,
                    bool has_colour)
{
    for (size_t i = 0; i < count; i++) {
        show_state(out, cells[i], has_colour);
        if (i + 1 < count)
            pad(out, widths[i] - show_width(cells[i]) + GAP);
    }
    buffer_byte(out, '\n');
}

void show_table(struct buffer *out, const json_t *items, const struct column *columns,
                bool has_colour)
{
    size_t count = column_count(columns);
    size_t row_count = json_array_size(items) + 1;
    size_t widths[COMMAND_COLUMNS_MAX] = {0};
    CLEANUP(mem_free_at) char **cells = mem_array(NULL, char *, row_count *count);
    for (size_t row = 0; row < row_count; row++) {
        for (size_t i = 0; i < count; i++) {
            const json_t *item = row > 0 ? json_array_get(items, row - 1) : NULL;
            char *cell = item ? show_text(cells, json_object_get(item, columns[i].name))
                              : mem_text(cells, columns[i].title);
            size_t width = show_width(cell);
            cells[row * count + i] = cell;
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t row = 0; row < row_count; row++)
        row_add(out, cells + row * count, count, widths, has_colour && row > 0);
}

/* ---- one object ---- */

static size_t names_width(const json_t *object)
{
    const char *name;
    json_t *value;
    size_t width = 0;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        size_t own = show_width(name);
        width = own > width ? own : width;
    }
    return width;
}

/* Certificates and the like would fill the screen: JSON and YAML have them whole. */
static void line_add(struct buffer *out, const char *text)
{
    size_t size = 0;
    for (size_t shown = 0; text[size] && shown < LINE_LONGEST; shown++) {
        wchar_t c;
        size += character_at(text + size, &c);
    }
    buffer_add(out, (struct bytes){(const uint8_t *)text, size});
    buffer_text(out, text[size] ? "...\n" : "\n");
}

static void members_add(struct buffer *out, const json_t *object, size_t indent)
{
    const char *name;
    json_t *value;
    size_t width = names_width(object);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        CLEANUP(mem_free_at) char *safe = show_safe(NULL, name);
        pad(out, indent);
        buffer_text(out, safe);
        if (json_is_object(value) && json_object_size(value) > 0 && indent == 0) {
            buffer_byte(out, '\n');
            members_add(out, value, GAP);
            continue;
        }
        CLEANUP(mem_free_at) char *text = show_text(NULL, value);
        pad(out, width - show_width(safe) + GAP);
        line_add(out, text);
    }
}

void show_object(struct buffer *out, const json_t *object)
{
    members_add(out, object, 0);
}

static int part_take(const char *part, size_t size, void *context)
{
    buffer_add(context, (struct bytes){(const uint8_t *)part, size});
    return 0;
}

void show_json(struct buffer *out, const json_t *value)
{
    if (json_dump_callback(value, part_take, out, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        bug("a JSON value cannot be written");
    buffer_byte(out, '\n');
}
