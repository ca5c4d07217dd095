/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "db/driver.h"

#define BLOCK_SIZE 4096 /* texts of a result share blocks: one allocation each would be dear */
#define VALUES_MAX (MEM_LARGEST / sizeof(struct value))

void rows_begin(struct rows_builder *builder, size_t columns)
{
    *builder = (struct rows_builder){.rows = mem_new(NULL, struct rows)};
    builder->rows->columns = columns;
    builder->rows->names = mem_array(builder->rows, const char *, columns);
}

void rows_name(struct rows_builder *builder, size_t column, const char *name)
{
    builder->rows->names[column] = mem_text(builder->rows->names, name);
}

static size_t room_most(const struct rows *rows)
{
    size_t most = rows->columns ? VALUES_MAX / rows->columns : DB_ROWS_MAX;
    return most < DB_ROWS_MAX ? most : DB_ROWS_MAX;
}

bool rows_add(struct rows_builder *builder, struct value **out, struct err *err)
{
    struct rows *rows = builder->rows;
    if (rows->count == builder->room) {
        size_t most = room_most(rows);
        size_t room = builder->room ? builder->room * 4 : 1;
        if (rows->count == most)
            return err_set(err, ERR_TOO_LARGE, "a result of more than %zu rows", most);
        builder->room = room < most ? room : most;
        rows->values = mem_grow(rows, rows->values, builder->room * rows->columns);
    }
    struct value *row = rows->values + rows->count++ * rows->columns;
    memset(row, 0, rows->columns * sizeof(*row)); /* VALUE_NULL is 0 */
    *out = row;
    return true;
}

bool rows_keep(struct rows_builder *builder, const void *data, size_t size, char **out,
               struct err *err)
{
    if (size >= DB_RESULT_SIZE_MAX - builder->size)
        return err_set(err, ERR_TOO_LARGE, "a result of more than %zu bytes", DB_RESULT_SIZE_MAX);
    if (size >= builder->block_left) {
        size_t room = size < BLOCK_SIZE / 4 ? BLOCK_SIZE : size + 1;
        builder->block = mem_array(builder->rows, char, room);
        builder->block_left = room;
    }
    char *copy = builder->block;
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    builder->block += size + 1;
    builder->block_left -= size + 1;
    builder->size += size + 1;
    *out = copy;
    return true;
}

void rows_builder_free(struct rows_builder *builder)
{
    mem_free(builder->rows);
}

const struct value *rows_value(const struct rows *rows, size_t index, const char *column)
{
    if (index >= rows->count)
        bug("row %zu of %zu", index, rows->count);
    for (size_t i = 0; i < rows->columns; i++)
        if (strcmp(rows->names[i], column) == 0)
            return &rows->values[index * rows->columns + i];
    return NULL;
}

const char *rows_text(const struct rows *rows, size_t index, const char *column)
{
    const struct value *value = rows_value(rows, index, column);
    return value && value->type == VALUE_TEXT ? value->text : NULL;
}

int64_t rows_integer(const struct rows *rows, size_t index, const char *column)
{
    const struct value *value = rows_value(rows, index, column);
    return value && value->type == VALUE_INTEGER ? value->integer : 0;
}

static const enum value_type wanted[] = {
    [FIELD_TEXT] = VALUE_TEXT, [FIELD_INTEGER] = VALUE_INTEGER, [FIELD_BOOLEAN] = VALUE_INTEGER,
    [FIELD_REAL] = VALUE_REAL, [FIELD_BYTES] = VALUE_BYTES,     [FIELD_TIME] = VALUE_INTEGER,
    [FIELD_ENUM] = VALUE_TEXT, [FIELD_RAW] = VALUE_TEXT,
};

static bool enum_read(const struct field *field, const char *name, int *out, struct err *err)
{
    int index = name_find(field->names, name);
    if (index < 0)
        return err_set(err, ERR_INTERNAL, "column %s holds a name that is not in its list",
                       field->name);
    *out = index;
    return true;
}

static bool value_read(const struct field *field, const struct value *value, void *member,
                       struct err *err)
{
    if (field->type == FIELD_REAL && value->type == VALUE_INTEGER) {
        *(double *)member = (double)value->integer;
        return true;
    }
    if (value->type != wanted[field->type])
        return err_set(err, ERR_INTERNAL, "column %s has an unexpected type", field->name);
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_RAW: *(const char **)member = value->text; return true;
    case FIELD_INTEGER:
    case FIELD_TIME: *(int64_t *)member = value->integer; return true;
    case FIELD_BOOLEAN: *(bool *)member = value->integer != 0; return true;
    case FIELD_REAL: *(double *)member = value->real; return true;
    case FIELD_BYTES: *(struct bytes *)member = value->bytes; return true;
    case FIELD_ENUM: return enum_read(field, value->text, member, err);
    }
    bug("field type %d", (int)field->type);
}

/* What a column does not say is absent, whatever stood in the struct before. */
static void value_clear(const struct field *field, void *member)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_RAW: *(const char **)member = NULL; return;
    case FIELD_INTEGER:
    case FIELD_TIME: *(int64_t *)member = 0; return;
    case FIELD_BOOLEAN: *(bool *)member = false; return;
    case FIELD_REAL: *(double *)member = 0; return;
    case FIELD_BYTES: *(struct bytes *)member = NO_BYTES; return;
    case FIELD_ENUM: *(int *)member = 0; return;
    }
    bug("field type %d", (int)field->type);
}

bool rows_read(const struct rows *rows, size_t index, struct fields fields, void *target,
               struct err *err)
{
    for (size_t i = 0; i < fields.count; i++) /* two rows may name one member */
        value_clear(&fields.list[i], field_at(&fields.list[i], target));
    for (size_t i = 0; i < fields.count; i++) {
        const struct field *field = &fields.list[i];
        const struct value *value = rows_value(rows, index, field->name);
        if (value && value->type != VALUE_NULL &&
            !value_read(field, value, field_at(field, target), err))
            return false;
    }
    return true;
}
