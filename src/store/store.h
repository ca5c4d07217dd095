/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: statements (one .sql file per group of entities, generated into store/sql.h) and the
 * few shapes in which fleet asks them.  Rows become structs by the field tables of model/.
 */
#pragma once

#include "base/mem.h"
#include "db/db.h"
#include "store/sql.h"

/* A statement with its values: ASK(DEVICE_BY_ID, TEXT(id)). */
struct ask {
    const struct statement *statement;
    const struct value *args;
    size_t count;
};
/* The compiler counts: another number than the statement takes is an array of a negative size. */
#define ASK(name, ...)                                                                             \
    ((struct ask){&SQL_##name, (const struct value[]){__VA_ARGS__},                                \
                  SQL_##name##_ARGS +                                                              \
                      0 * sizeof(char[sizeof((const struct value[]){__VA_ARGS__}) ==               \
                                              SQL_##name##_ARGS * sizeof(struct value)             \
                                          ? 1                                                      \
                                          : -1])})
#define ASK_ALL(name) ((struct ask){&SQL_##name, NO_ARGS})

/* The rows themselves. Belong to owner. */
MUST_CHECK bool store_rows(struct db *db, void *owner, struct ask ask, struct rows **out,
                           struct err *err);
/* Exactly the first row as a struct; *found false when there is none (out untouched). */
MUST_CHECK bool store_find(struct db *db, void *owner, struct ask ask, struct fields fields,
                           void *out, bool *found, struct err *err);
/* The same, ERR_NOT_FOUND "no such <what>" when there is none. */
struct want { /* what is looked for, and its form */
    const char *what;
    struct fields fields;
};
MUST_CHECK bool store_get(struct db *db, void *owner, struct ask ask, struct want want, void *out,
                          struct err *err);
/* All rows as an array of structs of item_size bytes each. */
MUST_CHECK bool store_list(struct db *db, void *owner, struct ask ask, struct fields fields,
                           size_t item_size, void **items, size_t *count, struct err *err);
/* A change; *changed (may be NULL) = rows touched. Only inside a transaction. */
MUST_CHECK bool store_change(struct db *db, struct ask ask, int64_t *changed, struct err *err);
/* A change that must touch exactly one row, else ERR_CONFLICT with this sentence. */
MUST_CHECK bool store_change_one(struct db *db, struct ask ask, const char *otherwise,
                                 struct err *err);
/* One number of the first row ("SELECT count(*) AS count"); no row or NULL = 0. */
MUST_CHECK bool store_number(struct db *db, struct ask ask, const char *column, int64_t *out,
                             struct err *err);
