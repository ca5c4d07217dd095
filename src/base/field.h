/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field tables: how a C struct appears outside (a database row, JSON, a plist, an INI section).
 * One table per entity or message replaces a hand-written parser, printer and row reader; the
 * codecs and db/ walk it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum field_type {
    FIELD_TEXT,    /* char *; NULL = absent */
    FIELD_INTEGER, /* int64_t */
    FIELD_BOOLEAN, /* bool */
    FIELD_REAL,    /* double */
    FIELD_BYTES,   /* struct bytes; data NULL = absent */
    FIELD_TIME,    /* int64_t, seconds UTC; RFC 3339 in JSON, a date in plists; 0 = absent */
    FIELD_ENUM,    /* int; outside it is one of names */
    FIELD_RAW,     /* char * holding a JSON text as it is: shown as that JSON value */
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0,  /* must be present in input */
    FIELD_READ_ONLY = 1 << 1, /* shown, never accepted */
    FIELD_SECRET = 1 << 2,    /* accepted, never shown, logged or exported */
    FIELD_LIST = 1 << 3,      /* FIELD_RAW: a JSON array, else an object */
};

struct field {
    const char *name; /* outside */
    enum field_type type;
    size_t offset;
    unsigned flags;
    const char *const *names; /* FIELD_ENUM: NULL-terminated, index = value */
    int64_t lowest,
        highest;      /* integers: range when highest > lowest; sizes else: of text in
                       * characters, not blank where lowest > 0; of bytes and JSON in bytes */
    const char *help; /* one line for OpenAPI, --help and man pages */
};

#define FIELD_TEXT_LONGEST 4096 /* where a row gives no `highest` */

/* The member's C type is checked at compile time. */
#define FIELD_OF(wire, kind, ctype, owner, member, flag, ...)                                      \
    {                                                                                              \
        .name = (wire), .type = (kind), .flags = (flag),                                           \
        .offset =                                                                                  \
            offsetof(owner, member) +                                                              \
            0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((owner *)0)->member), ctype)  \
                                ? 1                                                                \
                                : -1]),                                                            \
        __VA_ARGS__                                                                                \
    }
/* Named like the member ... */
#define TEXT_FIELD(owner, member, flag, ...)                                                       \
    FIELD_OF(#member, FIELD_TEXT, char *, owner, member, flag, __VA_ARGS__)
#define INTEGER_FIELD(owner, member, flag, ...)                                                    \
    FIELD_OF(#member, FIELD_INTEGER, int64_t, owner, member, flag, __VA_ARGS__)
#define BOOLEAN_FIELD(owner, member, flag, ...)                                                    \
    FIELD_OF(#member, FIELD_BOOLEAN, bool, owner, member, flag, __VA_ARGS__)
#define REAL_FIELD(owner, member, flag, ...)                                                       \
    FIELD_OF(#member, FIELD_REAL, double, owner, member, flag, __VA_ARGS__)
#define BYTES_FIELD(owner, member, flag, ...)                                                      \
    FIELD_OF(#member, FIELD_BYTES, struct bytes, owner, member, flag, __VA_ARGS__)
#define TIME_FIELD(owner, member, flag, ...)                                                       \
    FIELD_OF(#member, FIELD_TIME, int64_t, owner, member, flag, __VA_ARGS__)
#define RAW_FIELD(owner, member, flag, ...)                                                        \
    FIELD_OF(#member, FIELD_RAW, char *, owner, member, flag, __VA_ARGS__)
#define ENUM_FIELD(owner, member, flag, name_list, ...)                                            \
    {                                                                                              \
        .name = #member, .type = FIELD_ENUM, .flags = (flag), .names = (name_list),                \
        .offset = offsetof(owner, member) +                                                        \
                  0 * sizeof(char[sizeof(((owner *)0)->member) == sizeof(int) ? 1 : -1]),          \
        __VA_ARGS__                                                                                \
    }
/* ... or with the name that the wire has: TEXT_AS("OSVersion", struct authenticate, os_version, 0)
 */
#define TEXT_AS(wire, owner, member, flag, ...)                                                    \
    FIELD_OF(wire, FIELD_TEXT, char *, owner, member, flag, __VA_ARGS__)
#define INTEGER_AS(wire, owner, member, flag, ...)                                                 \
    FIELD_OF(wire, FIELD_INTEGER, int64_t, owner, member, flag, __VA_ARGS__)
#define BOOLEAN_AS(wire, owner, member, flag, ...)                                                 \
    FIELD_OF(wire, FIELD_BOOLEAN, bool, owner, member, flag, __VA_ARGS__)
#define REAL_AS(wire, owner, member, flag, ...)                                                    \
    FIELD_OF(wire, FIELD_REAL, double, owner, member, flag, __VA_ARGS__)
#define BYTES_AS(wire, owner, member, flag, ...)                                                   \
    FIELD_OF(wire, FIELD_BYTES, struct bytes, owner, member, flag, __VA_ARGS__)

struct fields { /* a table with its size */
    const struct field *list;
    size_t count;
};
#define FIELDS(table) ((struct fields){table, sizeof(table) / sizeof((table)[0])})

/* The row with this name, or NULL. */
const struct field *field_find(struct fields fields, const char *name);
void *field_at(const struct field *field, void *target);
const void *field_in(const struct field *field, const void *source);

/* Index of a name in a NULL-terminated list, or -1. */
int name_find(const char *const *names, const char *name);
/* "a, b or c": for error texts. The result belongs to owner. */
char *name_list(void *owner, const char *const *names);

/* The range, length and choice rules of one row; err->where becomes "/<name>". */
MUST_CHECK bool field_check(const struct field *field, const void *target, struct err *err);
