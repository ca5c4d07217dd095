/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: connections and transactions.  Statements: sqlite_run.c; the writer thread: writer.c. */
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define PROGRESS_STEPS 20000 /* virtual machine steps between looks at the clock: ~1 ms */
/* Pages of the write-ahead log (4 kB) after which it is moved into the database file: */
#define CHECKPOINT_IDLE_PAGES 1000 /* ... when nobody waits */
#define CHECKPOINT_BUSY_PAGES 8000 /* ... even so; the log starts again once no reader needs it */
#define CHECKPOINT_FORCED_PAGES 64000 /* ... and readers are waited for, DB_BUSY_MS at most */

bool sqlite_fail(const struct sqlite *sqlite, int code, struct err *err)
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
    if (sqlite->claim >= 0)
        (void)close(sqlite->claim);
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
        (void)sqlite_fail(sqlite, code, err);
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
    sqlite->claim = -1;
    mem_destructor(sqlite, sqlite_close);
    db->connection = sqlite;
    return connection_open(sqlite, path, db->role, err);
}

struct sqlite3 *sqlite_handle(struct db *db)
{
    return ((struct sqlite *)db->connection)->handle;
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
    if (sqlite->wal_pages < (is_idle ? CHECKPOINT_IDLE_PAGES : CHECKPOINT_BUSY_PAGES))
        return;
    int mode = sqlite->wal_pages < CHECKPOINT_FORCED_PAGES ? SQLITE_CHECKPOINT_PASSIVE
                                                           : SQLITE_CHECKPOINT_RESTART;
    int pages = 0;
    int moved = 0;
    int code = sqlite3_wal_checkpoint_v2(sqlite->handle, NULL, mode, &pages, &moved);
    /* A reader in the way or a full disk: the next commit counts the log and comes back to it. */
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
    .claim = sqlite_claim,
    .claim_holds = sqlite_claim_holds,
    .claim_socket = sqlite_claim_socket,
};
