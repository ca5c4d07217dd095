/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property lists: XML (plist 1.0 DTD) and binary (bplist00) bytes to a tree, a tree to XML.
 *
 * Hostile input: size, depth and node limits are given at the call; entity declarations, doubled
 * keys, a key without value, trailing data, unknown elements, offsets outside the file and
 * objects that contain themselves are refused with ERR_BAD_INPUT, an exceeded limit with
 * ERR_TOO_LARGE.  A plain DOCTYPE is tolerated: every property list of Apple has one.
 */
#pragma once

#include "base/field.h"

enum plist_type {
    PLIST_DICT,
    PLIST_ARRAY,
    PLIST_TEXT,
    PLIST_INTEGER,
    PLIST_REAL,
    PLIST_BOOLEAN,
    PLIST_DATE,
    PLIST_DATA,
};

struct plist { /* read freely; changed only by the functions below */
    enum plist_type type;
    const char *key; /* inside a dict */
    const char *text;
    int64_t integer; /* also PLIST_BOOLEAN (0, 1) and PLIST_DATE (seconds UTC) */
    double real;
    struct bytes data;
    struct plist *first, *last, *next; /* children of dict and array, in order */
    size_t count;
};

struct plist_limits {
    size_t size;  /* bytes; in the binary form also of all texts and data after expansion */
    size_t depth; /* containers inside containers; never more than 512 */
    size_t nodes; /* values, keys not counted */
};

/* Either form, told apart by its first bytes. The tree belongs to owner. */
MUST_CHECK bool plist_parse(void *owner, struct bytes in, const struct plist_limits *limits,
                            struct plist **out, struct err *err);

const struct plist *plist_get(const struct plist *dict, const char *key); /* NULL when absent */
/* NULL / false unless dict[key] exists with that type. */
const char *plist_text(const struct plist *dict, const char *key);
bool plist_integer(const struct plist *dict, const char *key, int64_t *out);
bool plist_boolean(const struct plist *dict, const char *key, bool *out);

/*
 * Fill a struct from a dict by its field table. Keys that no row names are ignored: devices send
 * more with every release. A wrong type, a missing FIELD_REQUIRED row and a value that
 * field_check refuses are ERR_BAD_INPUT with err->where "/<key>". `present` (may be NULL) gets
 * bit i for row i found (at most 64 rows). Texts belong to owner.
 */
MUST_CHECK bool plist_bind(void *owner, const struct plist *dict, struct fields fields,
                           void *target, uint64_t *present, struct err *err);

/* ---- building; every node belongs to the tree's root; setting a key again replaces its value ----
 */
struct plist *plist_new_dict(void *owner);
struct plist *plist_new_array(void *owner);
struct plist *plist_set_dict(struct plist *dict, const char *key); /* key NULL: append to array */
struct plist *plist_set_array(struct plist *dict, const char *key);
void plist_set_text(struct plist *dict, const char *key, const char *text);
void plist_set_integer(struct plist *dict, const char *key, int64_t integer);
void plist_set_real(struct plist *dict, const char *key, double real);
void plist_set_boolean(struct plist *dict, const char *key, bool boolean);
void plist_set_date(struct plist *dict, const char *key, int64_t at);
void plist_set_data(struct plist *dict, const char *key, struct bytes data);
/* A deep copy of value below dict[key]. */
void plist_set_copy(struct plist *dict, const char *key, const struct plist *value);

/* XML with Apple's DOCTYPE; the same tree gives the same bytes. The result belongs to owner.
 * ERR_TOO_LARGE; ERR_BAD_INPUT for what XML cannot carry: control characters, numbers that are not
 * finite, dates outside the years 1 to 9999. */
MUST_CHECK bool plist_render(void *owner, const struct plist *plist, size_t limit,
                             struct bytes *out, struct err *err);
