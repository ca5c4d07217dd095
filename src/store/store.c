/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

bool store_rows(struct db *db, void *owner, struct ask ask, struct rows **out, struct err *err)
{
    return db_run(db, owner, ask.statement, ask.args, ask.count, out, err);
}

bool store_find(struct db *db, void *owner, struct ask ask, struct fields fields, void *out,
                bool *found, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(db, owner, ask, &rows, err))
        return false;
    if (rows->count > 0 && !rows_read(rows, 0, fields, out, err))
        return false;
    *found = rows->count > 0;
    return true;
}

bool store_get(struct db *db, void *owner, struct ask ask, struct want want, void *out,
               struct err *err)
{
    bool found = false;
    if (!store_find(db, owner, ask, want.fields, out, &found, err))
        return false;
    return found || err_set(err, ERR_NOT_FOUND, "no such %s", want.what);
}

bool store_list(struct db *db, void *owner, struct ask ask, struct fields fields, size_t item_size,
                void **items, size_t *count, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(db, owner, ask, &rows, err))
        return false;
    char *list = mem_items(owner, item_size, rows->count + 1);
    for (size_t i = 0; i < rows->count; i++)
        if (!rows_read(rows, i, fields, list + i * item_size, err))
            return false;
    *items = list;
    *count = rows->count;
    return true;
}

bool store_change(struct db *db, struct ask ask, int64_t *changed, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(db, owner, ask, &rows, err))
        return false;
    if (changed)
        *changed = rows->changed;
    return true;
}

bool store_change_one(struct db *db, struct ask ask, const char *otherwise, struct err *err)
{
    int64_t changed = 0;
    if (!store_change(db, ask, &changed, err))
        return false;
    return changed == 1 || err_set(err, ERR_CONFLICT, "%s", otherwise);
}

bool store_number(struct db *db, struct ask ask, const char *column, int64_t *out, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(db, owner, ask, &rows, err))
        return false;
    *out = rows->count > 0 ? rows_integer(rows, 0, column) : 0;
    return true;
}
