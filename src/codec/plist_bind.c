/* SPDX-License-Identifier: Apache-2.0 */
/* Structs out of dicts by field table. */
#include <jansson.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/bind.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/plist.h"

static json_t *json_of(const struct plist *value);

static json_t *container_json(const struct plist *value)
{
    bool is_dict = value->type == PLIST_DICT;
    json_t *json = is_dict ? json_object() : json_array();
    for (const struct plist *child = value->first; child; child = child->next) {
        int failed = is_dict ? json_object_set_new(json, child->key, json_of(child))
                             : json_array_append_new(json, json_of(child));
        if (failed)
            bug("plist value without JSON form");
    }
    return json;
}

/* Dates and data become texts: JSON has neither. */
static json_t *json_of(const struct plist *value)
{
    char date[DATE_SIZE + 1] = "";
    switch (value->type) {
    case PLIST_DICT:
    case PLIST_ARRAY: return container_json(value);
    case PLIST_TEXT: return json_string(value->text);
    case PLIST_INTEGER: return json_integer(value->integer);
    case PLIST_REAL: return json_real(value->real);
    case PLIST_BOOLEAN: return json_boolean(value->integer);
    case PLIST_DATE: return json_string(date_render(value->integer, date) ? date : "");
    case PLIST_DATA: {
        CLEANUP(mem_free_at) char *text = base64_encode(NULL, value->data);
        return json_string(text);
    }
    }
    bug("plist type %d", (int)value->type);
}

static bool real_set(const struct plist *value, double *out)
{
    if (value->type != PLIST_REAL && value->type != PLIST_INTEGER)
        return false;
    *out = value->type == PLIST_REAL ? value->real : (double)value->integer;
    return true;
}

static char *raw_text(void *owner, const struct plist *value)
{
    CLEANUP(json_decref_at) json_t *json = json_of(value);
    return json_text(owner, json);
}

static bool value_set(void *owner, const struct field *field, const struct plist *value,
                      void *target, struct err *err)
{
    static const enum plist_type types[] = {
        [FIELD_TEXT] = PLIST_TEXT,       [FIELD_INTEGER] = PLIST_INTEGER,
        [FIELD_BOOLEAN] = PLIST_BOOLEAN, [FIELD_BYTES] = PLIST_DATA,
        [FIELD_TIME] = PLIST_DATE,       [FIELD_ENUM] = PLIST_TEXT,
    };
    void *member = field_at(field, target);
    bool is_free = field->type == FIELD_REAL || field->type == FIELD_RAW;
    if (!is_free && value->type != types[field->type])
        return err_set(err, ERR_BAD_INPUT, "%s has the wrong type", field->name);
    switch (field->type) {
    case FIELD_TEXT: *(char **)member = mem_text(owner, value->text); break;
    case FIELD_TIME:
    case FIELD_INTEGER: *(int64_t *)member = value->integer; break;
    case FIELD_BOOLEAN: *(bool *)member = value->integer != 0; break;
    case FIELD_BYTES: *(struct bytes *)member = bytes_copy(owner, value->data); break;
    case FIELD_RAW: *(char **)member = raw_text(owner, value); break;
    case FIELD_ENUM: return field_choose(field, value->text, member, err);
    case FIELD_REAL:
        if (!real_set(value, member))
            return err_set(err, ERR_BAD_INPUT, "%s has the wrong type", field->name);
        break;
    }
    return field_check(field, target, err);
}

bool plist_bind(void *owner, const struct plist *dict, struct fields fields, void *target,
                uint64_t *present, struct err *err)
{
    CLEANUP(mem_free_at) void *texts = mem_text(NULL, "");
    size_t span = fields_span(fields);
    CLEANUP(mem_free_at) void *draft = mem_copy(NULL, target, span);
    uint64_t seen = 0;
    if (dict->type != PLIST_DICT)
        return err_set(err, ERR_BAD_INPUT, "dict expected");
    for (const struct plist *value = dict->first; value; value = value->next) {
        const struct field *field = field_find(fields, value->key);
        if (!field)
            continue;
        if (!value_set(texts, field, value, draft, err))
            return err_at_key(err, value->key);
        seen |= (uint64_t)1 << (field - fields.list);
    }
    if (!fields_complete(fields, seen, err))
        return false;
    memcpy(target, draft, span);
    (void)mem_give(owner, &texts);
    if (present)
        *present = seen;
    return true;
}
