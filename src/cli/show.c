/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <inttypes.h>
#include <limits.h>
#include <wchar.h>

#include "base/text.h"
#include "codec/base64.h"

#define GAP 2                   /* spaces between columns */
#define LINE_LONGEST 160        /* characters of a member's value */
#define WORDS_LONGEST (1 << 20) /* bytes */
#define DIGEST_SIZE 32          /* SHA-256 */

/* ---- text ---- */

/* Marks that show nothing and turn or hide what stands around them: zero width, direction,
 * tags. */
static bool is_invisible(wchar_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF || c == 0x061C ||
           (c >= 0xE0000 && c <= 0xE007F);
}

/* The size of the character at text, which ends with a NUL, 1 for what is none. */
static size_t character_at(const char *text, wchar_t *out)
{
    mbstate_t state = {0};
    size_t size = mbrtowc(out, text, strnlen(text, MB_LEN_MAX), &state);
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

static void words_add(struct buffer *out, const json_t *value, bool is_inner);

static void members_say(struct buffer *out, const json_t *object)
{
    const char *name;
    json_t *value;
    bool is_first = true;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        buffer_format(out, "%s%s: ", is_first ? "" : ", ", name);
        words_add(out, value, true);
        is_first = false;
    }
}

static void items_say(struct buffer *out, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        buffer_text(out, i > 0 ? ", " : "");
        words_add(out, json_array_get(array, i), true);
    }
}

static void words_add(struct buffer *out, const json_t *value, bool is_inner)
{
    bool is_list = json_array_size(value) > 0, is_object = json_object_size(value) > 0;
    if (!is_list && !is_object) {
        CLEANUP(mem_free_at) char *text = show_text(NULL, value);
        buffer_text(out, text);
        return;
    }
    buffer_text(out, is_inner ? "(" : "");
    if (is_list)
        items_say(out, value);
    else
        members_say(out, value);
    buffer_text(out, is_inner ? ")" : "");
}

/* {"a": 1, "b": ["c", "d"]}: "a: 1, b: (c, d)" */
static char *words_text(void *owner, const json_t *value)
{
    struct buffer out;
    CLEANUP(mem_free_at) char *scratch = mem_text(NULL, "");
    buffer_init(&out, scratch, WORDS_LONGEST);
    words_add(&out, value, false);
    return show_safe(owner, buffer_string(&out));
}

char *show_text(void *owner, const json_t *value)
{
    if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)))
        return mem_text(owner, "-");
    if (json_is_string(value))
        return show_safe(owner, json_string_value(value));
    if (json_is_boolean(value))
        return mem_text(owner, json_is_true(value) ? "yes" : "no");
    if (json_array_size(value) > 0 || json_object_size(value) > 0)
        return words_text(owner, value);
    if (json_is_array(value) || json_is_object(value))
        return mem_text(owner, "-");
    CLEANUP(mem_free_at) char *text = json_text(NULL, value);
    return show_safe(owner, text);
}

char *show_fingerprint(void *owner, const char *text)
{
    struct err ignored; /* what is none is shown as it is */
    struct bytes digest;
    CLEANUP(mem_free_at) char *scratch = mem_text(NULL, "");
    if (!(strlen(text) == 2 * DIGEST_SIZE && text_unhex(scratch, text, &digest, &ignored)) &&
        !(base64_decode(scratch, bytes_text(text), DIGEST_SIZE, &digest, &ignored) &&
          digest.size == DIGEST_SIZE))
        return show_safe(owner, text);
    struct buffer out;
    buffer_init(&out, scratch, 3 * DIGEST_SIZE);
    for (size_t i = 0; i < digest.size; i++)
        buffer_format(&out, "%s%02X", i > 0 ? ":" : "", digest.data[i]);
    return mem_text(owner, buffer_string(&out));
}

/* ---- escapes ---- */

static void escape_add(struct buffer *out, wchar_t c, bool is_yaml)
{
    unsigned point = (unsigned)c;
    if (point < 0x10000) {
        buffer_format(out, "\\u%04x", point);
    } else if (is_yaml) {
        buffer_format(out, "\\U%08x", point);
    } else { /* RFC 8259 7: a surrogate pair */
        point -= 0x10000;
        buffer_format(out, "\\u%04x\\u%04x", 0xD800 + (point >> 10), 0xDC00 + (point & 0x3FF));
    }
}

void show_escaped(struct buffer *out, struct bytes text, bool is_yaml)
{
    for (size_t at = 0, size; at < text.size; at += size) {
        wchar_t c = L'\0';
        mbstate_t state = {0};
        const char *from = (const char *)text.data + at;
        size = mbrtowc(&c, from, text.size - at, &state);
        if (size == 0 || size > MB_LEN_MAX)
            bug("JSON that is no UTF-8");
        if (c >= 0x7F && (wcwidth(c) < 0 || is_invisible(c)))
            escape_add(out, c, is_yaml);
        else
            buffer_add(out, (struct bytes){text.data + at, size});
    }
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

/* Those that are shown. */
static size_t columns_choose(const struct column *columns, unsigned flags,
                             struct column out[COMMAND_COLUMNS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < COMMAND_COLUMNS_MAX && columns[i].title; i++)
        if (flags & SHOW_WIDE || !(columns[i].flags & COLUMN_WIDE))
            out[count++] = columns[i];
    return count;
}

static char *cell_text(void *owner, const json_t *item, const struct column *column)
{
    const json_t *value = json_object_get(item, column->name);
    return column->flags & COLUMN_FINGERPRINT && json_is_string(value)
               ? show_fingerprint(owner, json_string_value(value))
               : show_text(owner, value);
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

void show_table(struct buffer *out, const json_t *items, const struct column *all, unsigned flags)
{
    struct column columns[COMMAND_COLUMNS_MAX] = {0};
    size_t count = columns_choose(all, flags, columns);
    size_t row_count = json_array_size(items) + 1;
    size_t widths[COMMAND_COLUMNS_MAX] = {0};
    CLEANUP(mem_free_at) char **cells = mem_array(NULL, char *, row_count *count);
    for (size_t row = 0; row < row_count; row++) {
        for (size_t i = 0; i < count; i++) {
            const json_t *item = row > 0 ? json_array_get(items, row - 1) : NULL;
            char *cell =
                item ? cell_text(cells, item, &columns[i]) : mem_text(cells, columns[i].title);
            size_t width = show_width(cell);
            cells[row * count + i] = cell;
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t row = 0; row < row_count; row++)
        row_add(out, cells + row * count, count, widths, flags & SHOW_COLOUR && row > 0);
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

static bool is_digest(const char *name)
{
    static const char ending[] = "sha256";
    size_t size = strlen(name);
    return size >= sizeof(ending) - 1 && text_equal(name + size - (sizeof(ending) - 1), ending);
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
        CLEANUP(mem_free_at)
        char *text = json_is_string(value) && is_digest(name)
                         ? show_fingerprint(NULL, json_string_value(value))
                         : show_text(NULL, value);
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
    show_escaped(context, (struct bytes){(const uint8_t *)part, size}, false);
    return 0;
}

void show_json(struct buffer *out, const json_t *value)
{
    if (json_dump_callback(value, part_take, out, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        bug("a JSON value cannot be written");
    buffer_byte(out, '\n');
}
