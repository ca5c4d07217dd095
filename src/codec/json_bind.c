/* SPDX-License-Identifier: Apache-2.0 */
/* Structs from and to JSON objects by field table. */
#include "base/clock.h"
#include "codec/base64.h"
#include "codec/bind.h"
#include "codec/json.h"

/* ---- in ---- */

/* null takes away what can be absent. */
static bool null_set(const struct field *field, void *member)
{
    if (field->flags & FIELD_REQUIRED)
        return false;
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_RAW: *(char **)member = NULL; return true;
    case FIELD_BYTES: *(struct bytes *)member = NO_BYTES; return true;
    case FIELD_TIME: *(int64_t *)member = 0; return true;
    case FIELD_INTEGER:
    case FIELD_BOOLEAN:
    case FIELD_REAL:
    case FIELD_ENUM: return false;
    }
    bug("field type %d", (int)field->type);
}

static bool string_set(void *owner, const struct field *field, const char *text, void *member,
                       struct err *err)
{
    switch (field->type) {
    case FIELD_TEXT: *(char **)member = mem_text(owner, text); return true;
    case FIELD_TIME: return time_parse(text, member, err);
    case FIELD_ENUM: return field_choose(field, text, member, err);
    case FIELD_BYTES: return base64_decode(owner, bytes_text(text), strlen(text) + 1, member, err);
    case FIELD_INTEGER:
    case FIELD_BOOLEAN:
    case FIELD_REAL:
    case FIELD_RAW: break;
    }
    bug("field type %d is no string", (int)field->type);
}

static bool type_fits(enum field_type type, const json_t *value)
{
    switch (type) {
    case FIELD_TEXT:
    case FIELD_TIME:
    case FIELD_ENUM:
    case FIELD_BYTES: return json_is_string(value);
    case FIELD_INTEGER: return json_is_integer(value);
    case FIELD_BOOLEAN: return json_is_boolean(value);
    case FIELD_REAL: return json_is_number(value);
    case FIELD_RAW: return true;
    }
    bug("field type %d", (int)type);
}

static bool value_set(void *owner, const struct field *field, const json_t *value, void *target,
                      struct err *err)
{
    void *member = field_at(field, target);
    if (field->flags & FIELD_READ_ONLY)
        return err_set(err, ERR_BAD_INPUT, "%s cannot be set", field->name);
    if (json_is_null(value) && null_set(field, member))
        return true;
    if (json_is_null(value) || !type_fits(field->type, value))
        return err_set(err, ERR_BAD_INPUT, "%s has the wrong type", field->name);
    switch (field->type) {
    case FIELD_INTEGER: *(int64_t *)member = json_integer_value(value); break;
    case FIELD_BOOLEAN: *(bool *)member = json_is_true(value); break;
    case FIELD_REAL: *(double *)member = json_number_value(value); break;
    case FIELD_RAW: *(char **)member = json_text(owner, value); break;
    case FIELD_TEXT:
    case FIELD_TIME:
    case FIELD_ENUM:
    case FIELD_BYTES:
        if (!string_set(owner, field, json_string_value(value), member, err))
            return false;
        break;
    }
    return field_check(field, target, err);
}

static bool object_read(void *owner, const json_t *object, struct fields fields, void *target,
                        uint64_t *seen, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const struct field *field = field_find(fields, key);
        if (!field)
            (void)err_set(err, ERR_BAD_INPUT, "unknown key '%.100s'", key);
        if (!field || !value_set(owner, field, value, target, err))
            return err_at_key(err, key);
        *seen |= (uint64_t)1 << (field - fields.list);
    }
    return true;
}

bool json_bind(void *owner, const json_t *object, struct fields fields, void *target,
               uint64_t *present, struct err *err)
{
    CLEANUP(mem_free_at) void *texts = mem_text(NULL, "");
    size_t span = fields_span(fields);
    CLEANUP(mem_free_at) void *draft = mem_copy(NULL, target, span);
    uint64_t seen = 0;
    if (!json_is_object(object))
        return err_set(err, ERR_BAD_INPUT, "JSON object expected");
    if (!object_read(texts, object, fields, draft, &seen, err) ||
        !fields_complete(fields, seen, err))
        return false;
    memcpy(target, draft, span);
    (void)mem_give(owner, &texts);
    if (present)
        *present = seen;
    return true;
}

/* ---- out ---- */

static json_t *bytes_json(const struct bytes *bytes)
{
    if (!bytes->data)
        return json_null();
    CLEANUP(mem_free_at) char *text = base64_encode(NULL, *bytes);
    return json_string(text);
}

static json_t *time_json(int64_t at)
{
    CLEANUP(mem_free_at) char *text = time_text(NULL, at);
    return at == 0 ? json_null() : json_string(text);
}

static json_t *text_json(const char *text)
{
    json_t *json = text ? json_string(text) : NULL; /* NULL too when it is not UTF-8 */
    return json ? json : json_null();
}

static json_t *raw_json(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return json ? json : json_null();
}

static json_t *enum_json(const struct field *field, int value)
{
    for (int i = 0; field->names[i]; i++)
        if (i == value)
            return json_string(field->names[i]);
    bug("%s has no name for %d", field->name, value);
}

static json_t *value_json(const struct field *field, const void *source)
{
    const void *member = field_in(field, source);
    switch (field->type) {
    case FIELD_TEXT: return text_json(*(char *const *)member);
    case FIELD_INTEGER: return json_integer(*(const int64_t *)member);
    case FIELD_BOOLEAN: return json_boolean(*(const bool *)member);
    case FIELD_REAL: return json_real(*(const double *)member);
    case FIELD_BYTES: return bytes_json(member);
    case FIELD_TIME: return time_json(*(const int64_t *)member);
    case FIELD_ENUM: return enum_json(field, *(const int *)member);
    case FIELD_RAW: return raw_json(*(char *const *)member);
    }
    bug("field type %d", (int)field->type);
}

json_t *json_from(struct fields fields, const void *source)
{
    json_t *object = mem_must(json_object());
    for (size_t i = 0; i < fields.count; i++) {
        const struct field *field = &fields.list[i];
        if (field->flags & FIELD_SECRET)
            continue;
        json_t *value = value_json(field, source);
        json_set(object, field->name, value ? value : json_null());
    }
    return object;
}
