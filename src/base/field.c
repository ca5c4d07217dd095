/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct field *field_find(struct fields fields, const char *name)
{
    for (size_t i = 0; i < fields.count; i++)
        if (strcmp(fields.list[i].name, name) == 0)
            return &fields.list[i];
    return NULL;
}

void *field_at(const struct field *field, void *target)
{
    return (char *)target + field->offset;
}

const void *field_in(const struct field *field, const void *source)
{
    return (const char *)source + field->offset;
}

int name_find(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

char *name_list(void *owner, const char *const *names)
{
    char *list = mem_text(owner, "");
    for (size_t i = 0; names[i]; i++) {
        const char *between = i == 0 ? "" : names[i + 1] ? ", " : " or ";
        char *longer = mem_format(owner, "%s%s%s", list, between, names[i]);
        mem_free(list);
        list = longer;
    }
    return list;
}

static bool size_check(const struct field *field, size_t size, struct err *err)
{
    size_t longest = field->highest > 0 ? (size_t)field->highest : FIELD_TEXT_LONGEST;
    if (size <= longest && (field->lowest <= 0 || size >= (size_t)field->lowest))
        return true;
    return err_set(err, ERR_BAD_INPUT, "%s must have %" PRId64 " to %zu bytes", field->name,
                   field->lowest, longest);
}

/* What people type is counted as they count it. */
static bool text_check(const struct field *field, const char *text, struct err *err)
{
    size_t length = text_length(text);
    size_t longest = field->highest > 0 ? (size_t)field->highest : FIELD_TEXT_LONGEST;
    if (length > longest || (field->lowest > 0 && length < (size_t)field->lowest))
        return field->lowest == (int64_t)longest
                   ? err_set(err, ERR_BAD_INPUT, "%s must have exactly %zu characters", field->name,
                             longest)
                   : err_set(err, ERR_BAD_INPUT, "%s must have %" PRId64 " to %zu characters",
                             field->name, field->lowest, longest);
    return field->lowest <= 0 || field->flags & FIELD_SECRET || !text_is_blank(text) ||
           err_set(err, ERR_BAD_INPUT, "%s must not be blank", field->name);
}

static bool range_check(const struct field *field, int64_t number, struct err *err)
{
    if (field->highest <= field->lowest || (number >= field->lowest && number <= field->highest))
        return true;
    return err_set(err, ERR_BAD_INPUT, "%s must be %" PRId64 " to %" PRId64, field->name,
                   field->lowest, field->highest);
}

static bool value_check(const struct field *field, const void *member, struct err *err)
{
    switch (field->type) {
    case FIELD_TEXT: {
        const char *text = *(char *const *)member;
        return !text || text_check(field, text, err);
    }
    case FIELD_RAW: {
        const char *json = *(char *const *)member;
        return !json || size_check(field, strlen(json), err);
    }
    case FIELD_BYTES: {
        const struct bytes *bytes = member;
        return !bytes->data || size_check(field, bytes->size, err);
    }
    case FIELD_INTEGER: return range_check(field, *(const int64_t *)member, err);
    case FIELD_BOOLEAN:
    case FIELD_REAL:
    case FIELD_TIME:
    case FIELD_ENUM: return true;
    }
    bug("field type %d", (int)field->type);
}

bool field_check(const struct field *field, const void *target, struct err *err)
{
    if (value_check(field, field_in(field, target), err))
        return true;
    (void)snprintf(err->where, sizeof(err->where), "/%s", field->name);
    return false;
}
