/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON on jansson: strict and bounded parsing, structs from and to objects by field table.
 * json_t references follow jansson's rules; CLEANUP(json_decref_at) releases a local one.
 */
#pragma once

#include <jansson.h>

#include "base/field.h"
#include "base/mem.h"

DEFINE_CLEANUP(json_t *, json_decref)

struct json_limits {
    size_t size;  /* bytes */
    size_t depth; /* arrays and objects inside each other; counted before jansson sees the text */
    size_t nodes; /* commas, colons and brackets: bounds what parsing may allocate */
};

/* One JSON value and nothing behind it; doubled keys, NUL and bad UTF-8 refused. New reference. */
MUST_CHECK bool json_parse(struct bytes in, const struct json_limits *limits, json_t **out,
                           struct err *err);
/* An object to a struct: unknown keys, wrong types, FIELD_READ_ONLY rows, missing required rows and
 * values out of range are ERR_BAD_INPUT with the JSON pointer in err->where. `present` as in
 * plist_bind. */
MUST_CHECK bool json_bind(void *owner, const json_t *object, struct fields fields, void *target,
                          uint64_t *present, struct err *err);
/* A struct to an object; FIELD_SECRET rows are left out, absent texts and times become null. New
 * reference. */
json_t *json_from(struct fields fields, const void *source);
/* Takes value; a name that cannot be set (value NULL, say) is a bug. */
void json_set(json_t *object, const char *name, json_t *value);
/* Keys sorted, no white space: the same value gives the same bytes. Belongs to owner. */
char *json_canonical(void *owner, const json_t *value);
/* For people and API answers: insertion order. Belongs to owner. */
char *json_text(void *owner, const json_t *value);
