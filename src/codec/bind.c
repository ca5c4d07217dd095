/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bind.h"

#include "base/mem.h"

static size_t member_size(enum field_type type)
{
    switch (type) {
    case FIELD_TEXT:
    case FIELD_RAW: return sizeof(char *);
    case FIELD_INTEGER:
    case FIELD_TIME: return sizeof(int64_t);
    case FIELD_BOOLEAN: return sizeof(bool);
    case FIELD_REAL: return sizeof(double);
    case FIELD_BYTES: return sizeof(struct bytes);
    case FIELD_ENUM: return sizeof(int);
    }
    bug("field type %d", (int)type);
}

size_t fields_span(struct fields fields)
{
    size_t span = 1;
    if (fields.count > 64)
        bug("%zu rows in one table, at most 64 can be bound", fields.count);
    for (size_t i = 0; i < fields.count; i++) {
        size_t end = fields.list[i].offset + member_size(fields.list[i].type);
        span = end > span ? end : span;
    }
    return span;
}

bool err_at_key(struct err *err, const char *name)
{
    char segment[sizeof(err->where)] = "/";
    size_t to = 1;
    for (const char *at = name; *at && to + 3 < sizeof(segment); at++) {
        if (*at == '~' || *at == '/') {
            segment[to++] = '~';
            segment[to++] = *at == '~' ? '0' : '1';
        } else {
            segment[to++] = *at;
        }
    }
    err->where[0] = '\0';
    return err_under(err, segment);
}

bool fields_complete(struct fields fields, uint64_t present, struct err *err)
{
    for (size_t i = 0; i < fields.count; i++)
        if (fields.list[i].flags & FIELD_REQUIRED && !(present >> i & 1)) {
            (void)err_set(err, ERR_BAD_INPUT, "%s is missing", fields.list[i].name);
            return err_at_key(err, fields.list[i].name);
        }
    return true;
}

bool field_choose(const struct field *field, const char *name, int *out, struct err *err)
{
    int index = name_find(field->names, name);
    if (index < 0) {
        CLEANUP(mem_free_at) char *list = name_list(NULL, field->names);
        return err_set(err, ERR_BAD_INPUT, "%s must be %s", field->name, list);
    }
    *out = index;
    return true;
}
