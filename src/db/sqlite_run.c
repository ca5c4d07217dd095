/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: statements, their arguments and results. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/sqlite.h"

struct prepared {
    sqlite3_stmt *handle;
    size_t args;                       /* highest $n */
    unsigned char number[DB_ARGS_MAX]; /* SQLite's index - 1 -> n of its $n */
    int slots;
};

/* ---- prepared statements ---- */

static int prepared_close(struct prepared *prepared)
{
    (void)sqlite3_finalize(prepared->handle); /* repeats the error of the last step */
    return 0;
}

/* SQLite takes $2 for a name and numbers names as they come; learn which is which. */
static bool parameters_learn(struct prepared *prepared, struct err *err)
{
    prepared->slots = sqlite3_bind_parameter_count(prepared->handle);
    if (prepared->slots > DB_ARGS_MAX)
        return err_set(err, ERR_INTERNAL, "more than %d parameters", DB_ARGS_MAX);
    for (int i = 0; i < prepared->slots; i++) {
        const char *name = sqlite3_bind_parameter_name(prepared->handle, i + 1);
        int64_t number;
        if (!name || name[0] != '$' ||
            !number_parse(bytes_text(name + 1), 1, DB_ARGS_MAX, &number, err))
            return err_set(err, ERR_INTERNAL, "parameters are $1 to $%d", DB_ARGS_MAX);
        prepared->number[i] = (unsigned char)number;
        if ((size_t)number > prepared->args)
            prepared->args = (size_t)number;
    }
    return true;
}

/* NULL: err is set. */
static struct prepared *prepare(struct db *db, const struct statement *statement, struct err *err)
{
    struct sqlite *sqlite = db->connection;
    struct prepared *found = statement->name ? cache_find(&db->cache, statement) : NULL;
    if (found)
        return found;
    CLEANUP(mem_free_at) struct prepared *prepared = mem_new(NULL, struct prepared);
    mem_destructor(prepared, prepared_close);
    int code = sqlite3_prepare_v3(sqlite->handle, statement->sql, -1,
                                  statement->name ? SQLITE_PREPARE_PERSISTENT : 0,
                                  &prepared->handle, NULL);
    bool worked = code == SQLITE_OK ? prepared->handle || err_set(err, ERR_INTERNAL, "empty")
                                    : sqlite_fail(sqlite, code, err);
    if (!worked || !parameters_learn(prepared, err))
        return NULL;
    found = mem_give(db, &prepared);
    if (statement->name)
        cache_add(&db->cache, db, statement, found);
    return found;
}

bool sqlite_prepare(struct db *db, const struct statement *statement, struct err *err)
{
    return prepare(db, statement, err) != NULL;
}

static int bind(sqlite3_stmt *handle, int slot, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL: return sqlite3_bind_null(handle, slot);
    case VALUE_INTEGER: return sqlite3_bind_int64(handle, slot, value->integer);
    case VALUE_REAL: return sqlite3_bind_double(handle, slot, value->real);
    case VALUE_TEXT: return sqlite3_bind_text(handle, slot, value->text, -1, SQLITE_STATIC);
    case VALUE_BYTES:
        return sqlite3_bind_blob64(handle, slot, value->bytes.data, value->bytes.size,
                                   SQLITE_STATIC);
    }
    bug("value type %d", (int)value->type);
}

static bool bind_all(const struct sqlite *sqlite, const struct prepared *prepared,
                     const struct value *args, size_t count, struct err *err)
{
    if (count != prepared->args)
        return err_set(err, ERR_INTERNAL, "takes %zu arguments, got %zu", prepared->args, count);
    for (int i = 0; i < prepared->slots; i++) {
        size_t at = (size_t)prepared->number[i] - 1;
        if (at >= count)
            bug("$%zu of %zu arguments", at + 1, count);
        int code = bind(prepared->handle, i + 1, &args[at]);
        if (code != SQLITE_OK)
            return sqlite_fail(sqlite, code, err);
    }
    return true;
}

/* ---- results ---- */

static bool column_read(sqlite3_stmt *handle, int column, struct rows_builder *builder,
                        struct value *out, struct err *err)
{
    char *copy;
    switch (sqlite3_column_type(handle, column)) {
    case SQLITE_INTEGER: *out = INTEGER(sqlite3_column_int64(handle, column)); return true;
    case SQLITE_FLOAT: *out = REAL(sqlite3_column_double(handle, column)); return true;
    case SQLITE_TEXT: {
        const void *text = sqlite3_column_text(handle, column);
        if (!rows_keep(builder, text, (size_t)sqlite3_column_bytes(handle, column), &copy, err))
            return false;
        *out = value_text(copy);
        return true;
    }
    case SQLITE_BLOB: {
        const void *data = sqlite3_column_blob(handle, column); /* NULL when empty */
        size_t size = (size_t)sqlite3_column_bytes(handle, column);
        if (!rows_keep(builder, data, size, &copy, err))
            return false;
        *out = value_bytes((struct bytes){(const uint8_t *)copy, size});
        return true;
    }
    }
    return true; /* NULL */
}

static bool row_read(sqlite3_stmt *handle, struct rows_builder *builder, struct err *err)
{
    struct value *values;
    if (!rows_add(builder, &values, err))
        return false;
    for (size_t i = 0; i < builder->rows->columns; i++)
        if (!column_read(handle, (int)i, builder, &values[i], err))
            return false;
    return true;
}

/* Step to the end. builder->rows is NULL when nobody wants them. */
static bool step_all(struct sqlite *sqlite, sqlite3_stmt *handle, struct rows_builder *builder,
                     struct err *err)
{
    int code;
    while ((code = sqlite3_step(handle)) == SQLITE_ROW)
        if (builder->rows && !row_read(handle, builder, err))
            return false;
    return code == SQLITE_DONE || sqlite_fail(sqlite, code, err);
}

/* Let go of the snapshot and of the caller's arguments. */
static void settle(sqlite3_stmt *handle)
{
    (void)sqlite3_reset(handle); /* repeats the error of the last step */
    (void)sqlite3_clear_bindings(handle);
}

static bool run_prepared(struct db *db, const struct prepared *prepared, const struct value *args,
                         size_t count, struct rows_builder *builder, int64_t *changed,
                         struct err *err)
{
    struct sqlite *sqlite = db->connection;
    int64_t before = sqlite3_total_changes64(sqlite->handle);
    bool worked = bind_all(sqlite, prepared, args, count, err);
    if (worked) {
        sqlite->deadline_ms = db->role == DB_MIGRATOR ? 0 : clock_monotonic_ms() + DB_STATEMENT_MS;
        worked = step_all(sqlite, prepared->handle, builder, err);
        sqlite->deadline_ms = 0;
    }
    /* SQLite keeps the number of the last change, whatever ran since. */
    if (worked && sqlite3_total_changes64(sqlite->handle) != before)
        *changed = sqlite3_changes64(sqlite->handle);
    settle(prepared->handle);
    return worked;
}

static void names_read(sqlite3_stmt *handle, struct rows_builder *builder)
{
    rows_begin(builder, (size_t)sqlite3_column_count(handle));
    for (size_t i = 0; i < builder->rows->columns; i++)
        rows_name(builder, i, sqlite3_column_name(handle, (int)i));
}

bool sqlite_run(struct db *db, void *owner, const struct statement *statement,
                const struct value *args, size_t count, struct rows **rows, struct err *err)
{
    CLEANUP(rows_builder_free) struct rows_builder builder = {0};
    int64_t changed = 0;
    struct prepared *prepared = prepare(db, statement, err);
    if (!prepared)
        return false;
    if (rows)
        names_read(prepared->handle, &builder);
    bool worked = run_prepared(db, prepared, args, count, &builder, &changed, err);
    if (!statement->name)
        mem_free(prepared);
    if (!worked || !rows)
        return worked;
    builder.rows->changed = changed;
    *rows = mem_give(owner, &builder.rows);
    return true;
}

bool sqlite_run_many(struct db *db, const struct statement *statement, const struct value *args,
                     size_t count, size_t row_count, struct err *err)
{
    struct rows_builder none = {0};
    int64_t changed;
    const struct prepared *prepared = prepare(db, statement, err);
    if (!prepared)
        return false;
    if (sqlite3_column_count(prepared->handle) > 0)
        return err_set(err, ERR_INTERNAL, "returns rows");
    for (size_t i = 0; i < row_count; i++)
        if (!run_prepared(db, prepared, args + i * count, count, &none, &changed, err))
            return false;
    return true;
}
