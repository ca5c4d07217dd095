/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define KEYS_MAX 256 /* keys in one file: for finding doubled ones */

struct parse {
    void *owner;
    const struct config_section *sections;
    size_t count;
    void *target;
    const struct config_section *current;
    const struct field *seen[KEYS_MAX];
    size_t seen_count;
};

static const struct config_section *section_find(const struct parse *parse, const char *name)
{
    for (size_t i = 0; i < parse->count; i++)
        if (strcmp(parse->sections[i].name, name) == 0)
            return &parse->sections[i];
    return NULL;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

static bool boolean_set(bool *out, const char *value, struct err *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", NULL};
    int index = name_find(words, value);
    if (index < 0)
        return err_set(err, ERR_BAD_INPUT, "'%s' is not yes or no", value);
    *out = index % 2 == 1;
    return true;
}

static bool enum_set(const struct field *field, int *out, const char *value, struct err *err)
{
    int index = name_find(field->names, value);
    if (index < 0) {
        CLEANUP(mem_free_at) char *list = name_list(NULL, field->names);
        return err_set(err, ERR_BAD_INPUT, "%s must be %s", field->name, list);
    }
    *out = index;
    return true;
}

static bool value_set(const struct parse *parse, const struct field *field, const char *value,
                      struct err *err)
{
    void *member = field_at(field, parse->target);
    switch (field->type) {
    case FIELD_TEXT: *(char **)member = mem_text(parse->owner, value); break;
    case FIELD_INTEGER:
        if (!number_parse(bytes_text(value), INT64_MIN, INT64_MAX, member, err))
            return false;
        break;
    case FIELD_BOOLEAN:
        if (!boolean_set(member, value, err))
            return false;
        break;
    case FIELD_ENUM:
        if (!enum_set(field, member, value, err))
            return false;
        break;
    case FIELD_REAL:
    case FIELD_BYTES:
    case FIELD_TIME:
    case FIELD_RAW: bug("configuration row %s has no text form", field->name);
    }
    return field_check(field, parse->target, err);
}

static bool key_set(struct parse *parse, const char *key, const char *value, struct err *err)
{
    if (!parse->current)
        return err_set(err, ERR_BAD_INPUT, "'%s' stands before any [section]", key);
    const struct field *field = field_find(parse->current->fields, key);
    if (!field)
        return err_set(err, ERR_BAD_INPUT, "[%s] has no key '%s'", parse->current->name, key);
    for (size_t i = 0; i < parse->seen_count; i++)
        if (parse->seen[i] == field)
            return err_set(err, ERR_BAD_INPUT, "'%s' stands twice", key);
    if (parse->seen_count == KEYS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d keys", KEYS_MAX);
    parse->seen[parse->seen_count++] = field;
    return value_set(parse, field, value, err);
}

static bool line_parse(struct parse *parse, char *line, struct err *err)
{
    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return true;
    size_t size = strlen(line);
    if (*line == '[' && line[size - 1] == ']') {
        line[size - 1] = '\0';
        parse->current = section_find(parse, line + 1);
        return parse->current || err_set(err, ERR_BAD_INPUT, "unknown section [%s]", line + 1);
    }
    char *equals = strchr(line, '=');
    if (!equals)
        return err_set(err, ERR_BAD_INPUT, "expected 'key = value'");
    *equals = '\0';
    return key_set(parse, trim(line), trim(equals + 1), err);
}

bool config_parse(void *owner, const char *text, const struct config_section *sections,
                  size_t count, void *target, struct err *err)
{
    struct parse parse = {.owner = owner, .sections = sections, .count = count, .target = target};
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, text);
    size_t number = 0;
    for (char *line = copy, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        if (!line_parse(&parse, line, err))
            return err_context(err, "line %zu", number);
    }
    return true;
}

bool config_set(void *owner, const char *assignment, const struct config_section *sections,
                size_t count, void *target, struct err *err)
{
    struct parse parse = {.owner = owner, .sections = sections, .count = count, .target = target};
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, assignment);
    char *equals = strchr(copy, '='), *dot = strchr(copy, '.');
    if (!equals || !dot || dot > equals)
        return err_set(err, ERR_BAD_INPUT, "expected section.key=value, got '%s'", assignment);
    *equals = *dot = '\0';
    parse.current = section_find(&parse, copy);
    if (!parse.current)
        return err_set(err, ERR_BAD_INPUT, "unknown section '%s'", copy);
    return key_set(&parse, dot + 1, equals + 1, err);
}
