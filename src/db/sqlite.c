/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: connections, and statements run on them.  The writer thread is in writer.c. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/driver.h"

#define PROGRESS_STEPS 20000       /* virtual machine steps between looks at the clock: ~1 ms */
#define CHECKPOINT_IDLE_PAGES 1000 /* 4 MB: moved to the file when nobody waits */
#define CHECKPOINT_BUSY_PAGES 8000 /* 32 MB: moved even so, and the log starts again */

struct sqlite {
    sqlite3 *handle;
    int64_t deadline_ms; /* of the running statement; 0: none */
    int wal_pages;
};

struct prepared {
    sqlite3_stmt *handle;
    size_t args;                       /* highest $n */
    unsigned char number[DB_ARGS_MAX]; /* SQLite's index - 1 -> n of its $n */
    int slots;
};

static bool fail(const struct sqlite *sqlite, int code, struct err *err)
{
    const char *text = sqlite->handle ? sqlite3_errmsg(sqlite->handle) : sqlite3_errstr(code);
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return err_set(err, ERR_CONFLICT, "%s", text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_INTERRUPT: return err_set(err, ERR_UNAVAILABLE, "%s", text);
    }
    return err_set(err, ERR_INTERNAL, "%s", text);
}

static int sqlite_close(struct sqlite *sqlite)
{
    (void)sqlite3_close_v2(sqlite->handle); /* takes NULL; waits for its statements */
    return 0;
}

static int prepared_close(struct prepared *prepared)
{
    (void)sqlite3_finalize(prepared->handle); /* repeats the error of the last step */
    return 0;
}

/* A reader that looks at too much gives up instead of holding the log back for ever. */
static int progress(void *context)
{
    const struct sqlite *sqlite = context;
    return sqlite->deadline_ms != 0 && clock_monotonic_ms() > sqlite->deadline_ms;
}

static int wal_grew(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct sqlite *)context)->wal_pages = pages;
    return SQLITE_OK;
}

/*
 * A new file is private from its first moment: SQLite gives its log and index the same mode.  An
 * existing one is never opened and closed here, since that would drop SQLite's locks on it.
 */
static bool file_make(const char *path, struct err *err)
{
    struct stat info;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return close(fd) == 0 ||
               err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerrordesc_np(errno));
    if (errno != EEXIST || stat(path, &info) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerrordesc_np(errno));
    if (!S_ISREG(info.st_mode))
        return err_set(err, ERR_BAD_INPUT, "%s is not a file", path);
    if ((info.st_mode & 0077) != 0 && chmod(path, 0600) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerrordesc_np(errno));
    return true;
}

static const char *const pragmas[] = {
    [DB_READER] = "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA query_only=ON;",
    [DB_WRITER] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                  "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"
                  "PRAGMA journal_size_limit=67108864;",
    /* Tables are rebuilt while others refer to them; migrate_check looks at the result. */
    [DB_MIGRATOR] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;",
};

static bool connection_open(struct sqlite *sqlite, const char *path, enum db_role role,
                            struct err *err)
{
    int code =
        sqlite3_open_v2(path, &sqlite->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_extended_result_codes(sqlite->handle, 1);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(sqlite->handle, DB_BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(sqlite->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(sqlite->handle, pragmas[role], NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        (void)fail(sqlite, code, err);
        return err_context(err, "opening %s", path);
    }
    sqlite3_progress_handler(sqlite->handle, PROGRESS_STEPS, progress, sqlite);
    if (role == DB_WRITER) { /* replaces the checkpoints that commits would make */
        (void)sqlite3_wal_autocheckpoint(sqlite->handle, 0);
        (void)sqlite3_wal_hook(sqlite->handle, wal_grew, sqlite);
    }
    return true;
}

static bool sqlite_open(struct db *db, struct err *err)
{
    const char *path = db->database->address;
    if (path[0] == '\0' || path[0] == ':') /* each connection would have a database of its own */
        return err_set(err, ERR_BAD_INPUT, "SQLite needs a file");
    if (db->role == DB_WRITER && !file_make(path, err))
        return false;
    struct sqlite *sqlite = mem_new(db, struct sqlite);
    mem_destructor(sqlite, sqlite_close);
    db->connection = sqlite;
    return connection_open(sqlite, path, db->role, err);
}

struct sqlite3 *sqlite_handle(struct db *db)
{
    return ((struct sqlite *)db->connection)->handle;
}

/* ---- prepared statements ---- */

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

static bool prepare(struct db *db, const struct statement *statement, struct prepared **out,
                    struct err *err)
{
    struct sqlite *sqlite = db->connection;
    struct prepared *found = statement->name ? cache_find(&db->cache, statement) : NULL;
    if (found) {
        *out = found;
        return true;
    }
    CLEANUP(mem_free_at) struct prepared *prepared = mem_new(NULL, struct prepared);
    mem_destructor(prepared, prepared_close);
    int code = sqlite3_prepare_v3(sqlite->handle, statement->sql, -1,
                                  statement->name ? SQLITE_PREPARE_PERSISTENT : 0,
                                  &prepared->handle, NULL);
    if (code != SQLITE_OK)
        return fail(sqlite, code, err);
    if (!prepared->handle)
        return err_set(err, ERR_INTERNAL, "an empty statement");
    if (!parameters_learn(prepared, err))
        return false;
    *out = mem_give(db, &prepared);
    if (statement->name)
        cache_add(&db->cache, db, statement, *out);
    return true;
}

static bool sqlite_prepare(struct db *db, const struct statement *statement, struct err *err)
{
    struct prepared *prepared;
    return prepare(db, statement, &prepared, err);
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
            return fail(sqlite, code, err);
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
    return code == SQLITE_DONE || fail(sqlite, code, err);
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

static bool sqlite_run(struct db *db, void *owner, const struct statement *statement,
                       const struct value *args, size_t count, struct rows **rows, struct err *err)
{
    CLEANUP(rows_builder_free) struct rows_builder builder = {0};
    struct prepared *prepared;
    int64_t changed = 0;
    if (!prepare(db, statement, &prepared, err))
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

static bool sqlite_run_many(struct db *db, const struct statement *statement,
                            const struct value *args, size_t count, size_t row_count,
                            struct err *err)
{
    struct rows_builder none = {0};
    struct prepared *prepared;
    int64_t changed;
    if (!prepare(db, statement, &prepared, err))
        return false;
    if (sqlite3_column_count(prepared->handle) > 0)
        return err_set(err, ERR_INTERNAL, "returns rows");
    for (size_t i = 0; i < row_count; i++)
        if (!run_prepared(db, prepared, args + i * count, count, &none, &changed, err))
            return false;
    return true;
}

/* ---- transactions ---- */

static const struct statement begin = {.name = "begin", .sql = "BEGIN IMMEDIATE"};
static const struct statement commit = {.name = "commit", .sql = "COMMIT"};
static const struct statement savepoint = {.name = "savepoint", .sql = "SAVEPOINT job"};
static const struct statement release = {.name = "release", .sql = "RELEASE job"};
static const struct statement undo = {.name = "undo", .sql = "ROLLBACK TO job"};

static bool sqlite_begin(struct db *db, struct err *err)
{
    return sqlite_run(db, NULL, &begin, NO_ARGS, NULL, err);
}

static void sqlite_rollback(struct db *db)
{
    sqlite3 *handle = sqlite_handle(db);
    if (!sqlite3_get_autocommit(handle))                          /* else SQLite did so already */
        (void)sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL); /* cannot fail, then */
}

static bool sqlite_commit(struct db *db, struct err *err)
{
    if (sqlite_run(db, NULL, &commit, NO_ARGS, NULL, err))
        return true;
    sqlite_rollback(db);
    return err_context(err, "commit");
}

bool sqlite_savepoint(struct db *db, struct err *err)
{
    return sqlite_run(db, NULL, &savepoint, NO_ARGS, NULL, err);
}

bool sqlite_release(struct db *db, struct err *err)
{
    return sqlite_run(db, NULL, &release, NO_ARGS, NULL, err);
}

bool sqlite_undo(struct db *db)
{
    struct err err; /* the transaction is lost, whatever the reason */
    return !sqlite3_get_autocommit(sqlite_handle(db)) &&
           sqlite_run(db, NULL, &undo, NO_ARGS, NULL, &err) && sqlite_release(db, &err);
}

bool sqlite_references_open(struct db *db)
{
    int now = 0;
    int most = 0;
    int code = sqlite3_db_status(sqlite_handle(db), SQLITE_DBSTATUS_DEFERRED_FKS, &now, &most, 0);
    return code == SQLITE_OK && now != 0;
}

void sqlite_checkpoint(struct db *db, bool is_idle)
{
    struct sqlite *sqlite = db->connection;
    bool is_long = sqlite->wal_pages >= CHECKPOINT_BUSY_PAGES;
    if (!is_long && (!is_idle || sqlite->wal_pages < CHECKPOINT_IDLE_PAGES))
        return;
    int pages = 0;
    int moved = 0;
    int code = sqlite3_wal_checkpoint_v2(
        sqlite->handle, NULL, is_long ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
        &pages, &moved);
    /* A reader in the way (SQLITE_BUSY) or a full disk: the next commit comes back to it. */
    if (code == SQLITE_OK && pages == moved)
        sqlite->wal_pages = 0;
}

static bool sqlite_migrate_start(struct db *db, struct err *err)
{
    (void)db; /* BEGIN IMMEDIATE keeps others out */
    (void)err;
    return true;
}

static bool sqlite_migrate_check(struct db *db, struct err *err)
{
    static const struct statement check = {.sql = "PRAGMA foreign_key_check"};
    struct rows *rows;
    if (!sqlite_run(db, db, &check, NO_ARGS, &rows, err))
        return false;
    size_t count = rows->count;
    mem_free(rows);
    return count == 0 || err_set(err, ERR_INTERNAL, "%zu foreign keys lead nowhere", count);
}

const struct driver sqlite_driver = {
    .scheme = "sqlite",
    .has_writer = true,
    .open = sqlite_open,
    .prepare = sqlite_prepare,
    .run = sqlite_run,
    .run_many = sqlite_run_many,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .migrate_start = sqlite_migrate_start,
    .migrate_check = sqlite_migrate_check,
};
