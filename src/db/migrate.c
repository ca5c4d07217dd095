/* SPDX-License-Identifier: Apache-2.0 */
#include "db/migrate.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/driver.h"

static const struct statement make_table = {
    .sql = "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
           "checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"};
static const struct statement list_all = {
    .sql = "SELECT version, name, checksum FROM migration ORDER BY version"};
static const struct statement record = {
    .sql = "INSERT INTO migration (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)"};

struct step {
    const struct migration *list;
    size_t count;
    bool is_done; /* nothing was left to do */
};

/* What the database recorded must be the beginning of our list. */
static bool record_check(const struct rows *rows, const struct step *step, struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        int64_t version = rows_integer(rows, i, "version");
        if (version != (int64_t)i + 1)
            return err_set(err, ERR_PRECONDITION, "migration %zu is missing in the database",
                           i + 1);
        if (i >= step->count)
            return err_set(err, ERR_PRECONDITION,
                           "the database is at version %" PRId64 ", this program knows %zu",
                           rows_integer(rows, rows->count - 1, "version"), step->count);
        if (!text_equal(rows_text(rows, i, "checksum"), step->list[i].checksum))
            return err_set(err, ERR_PRECONDITION,
                           "migration %" PRId64 " (%s) is not the one that this program knows",
                           version, step->list[i].name);
    }
    return true;
}

static bool apply(struct db *tx, const struct migration *migration, struct err *err)
{
    for (size_t i = 0; i < migration->statement_count; i++) {
        struct statement statement = {.sql = migration->statements[i]};
        if (!db_run(tx, NULL, &statement, NO_ARGS, NULL, err))
            return err_context(err, "statement %zu", i + 1);
    }
    return db_run(tx, NULL, &record,
                  ARGS(INTEGER(migration->version), TEXT(migration->name),
                       TEXT(migration->checksum), TIME(clock_now())),
                  NULL, err) &&
           tx->driver->migrate_check(tx, err);
}

/* One migration; the state is read again inside each transaction. */
static bool migrate_next(struct db *tx, void *context, struct err *err)
{
    struct step *step = context;
    CLEANUP(mem_free_at) struct rows *rows = NULL;
    if (!db_run(tx, NULL, &make_table, NO_ARGS, NULL, err) ||
        !db_run(tx, NULL, &list_all, NO_ARGS, &rows, err) || !record_check(rows, step, err))
        return false;
    step->is_done = rows->count == step->count;
    if (step->is_done)
        return true;
    const struct migration *next = &step->list[rows->count];
    if (!apply(tx, next, err))
        return err_context(err, "migration %" PRId64 " (%s)", next->version, next->name);
    return true;
}

bool database_migrate_with(struct database *database, const struct migration *list, size_t count,
                           struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].version != (int64_t)i + 1)
            bug("migration %zu has version %" PRId64, i + 1, list[i].version);
    CLEANUP(mem_free_at) struct db *db = db_open(NULL, database, DB_MIGRATOR, err);
    if (!db || !db->driver->migrate_start(db, err))
        return false;
    struct step step = {.list = list, .count = count};
    while (!step.is_done)
        if (!db_transaction(db, migrate_next, &step, err))
            return false;
    return true;
}

/* Asked before the table of the migrations may be there. */
static const struct statement has_table = {
    .name = "migration_table",
    .sql =
        "SELECT count(*) AS count FROM sqlite_master WHERE type = 'table' AND name = 'migration'",
    .sql_postgres = "SELECT count(*) AS count FROM pg_class WHERE oid = to_regclass('migration')"};

bool database_is_current(struct database *database, bool *is_current, struct err *err)
{
    CLEANUP(mem_free_at) struct db *db = db_open(NULL, database, DB_READER, err);
    const struct step step = {.list = migrations, .count = migration_count};
    struct rows *rows;
    if (!db || !db_run(db, db, &has_table, NO_ARGS, &rows, err))
        return false;
    if (rows_integer(rows, 0, "count") == 0) {
        *is_current = false;
        return true;
    }
    if (!db_run(db, db, &list_all, NO_ARGS, &rows, err) || !record_check(rows, &step, err))
        return false;
    *is_current = rows->count == step.count;
    return true;
}

bool database_migrate(struct database *database, struct err *err)
{
    return database_migrate_with(database, migrations, migration_count, err);
}
