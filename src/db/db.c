/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/driver.h"

static const struct driver *const drivers[] = {&sqlite_driver, &postgres_driver};

static const struct driver *driver_find(const char *url, const char **address)
{
    for (size_t i = 0; i < COUNT(drivers); i++) {
        size_t size = strlen(drivers[i]->scheme);
        if (strncmp(url, drivers[i]->scheme, size) == 0 && url[size] == ':') {
            *address = url + size + 1;
            return drivers[i];
        }
    }
    return NULL;
}

struct db *db_open(void *owner, struct database *database, enum db_role role, struct err *err)
{
    CLEANUP(mem_free_at) struct db *db = mem_new(NULL, struct db);
    db->database = database;
    db->driver = database->driver;
    db->role = role;
    if (!db->driver->open(db, err))
        return NULL;
    return mem_give(owner, &db);
}

bool database_open(void *owner, const char *url, struct database **out, struct err *err)
{
    const char *address;
    const struct driver *driver = driver_find(url, &address);
    if (!driver)
        return err_set(err, ERR_BAD_INPUT,
                       "a database is named sqlite:/path/file.db or postgres:...");
    CLEANUP(mem_free_at) struct database *database = mem_new(NULL, struct database);
    database->driver = driver;
    database->address = mem_text(database, address);
    if (driver->has_writer) {
        if (!writer_start(database, database, &database->writer, err))
            return false;
    } else { /* find out now whether it is there and what we need */
        CLEANUP(mem_free_at) struct db *probe = db_open(NULL, database, DB_READER, err);
        if (!probe)
            return false;
    }
    *out = mem_give(owner, &database);
    return true;
}

bool db_connect(void *owner, struct database *database, struct db **out, struct err *err)
{
    struct db *db = db_open(owner, database, DB_READER, err);
    if (!db)
        return false;
    *out = db;
    return true;
}

bool db_prepare(struct db *db, const struct statement *const *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!db->driver->prepare(db, list[i], err))
            return err_context(err, "preparing %s", list[i]->name);
    return true;
}

/* What only one engine would take is refused on both. */
static bool args_check(const struct statement *statement, const struct value *args, size_t count,
                       struct err *err)
{
    const char *name = statement->name ? statement->name : "statement";
    for (size_t i = 0; i < count; i++) {
        if (args[i].type == VALUE_REAL && !isfinite(args[i].real))
            return err_set(err, ERR_INTERNAL, "%s: $%zu is not a finite number", name, i + 1);
        if (args[i].type == VALUE_TEXT && !text_is_utf8(bytes_text(args[i].text)))
            return err_set(err, ERR_INTERNAL, "%s: $%zu is not UTF-8", name, i + 1);
    }
    return true;
}

/* Another server may work on it by now: what we know of it may be wrong. */
static bool shut_check(const struct db *db, struct err *err)
{
    return !atomic_load(&db->database->is_shut) ||
           err_set(err, ERR_UNAVAILABLE, "this server waits for its claim on the database");
}

static bool run_check(const struct db *db, const struct statement *statement, size_t count,
                      struct err *err)
{
    if (db->is_waiting)
        bug("%s: a body must use its own connection, not the caller's", statement->name);
    if (count > DB_ARGS_MAX)
        bug("%s: %zu arguments", statement->name, count);
    if (db->in_transaction && db->has_failed)
        return err_set(err, db->failure.kind, "the transaction failed before: %s",
                       db->failure.text);
    return true;
}

/* Remember the first failure of a transaction: nothing of it can be kept any more. */
static bool failed(struct db *db, const struct statement *statement, struct err *err)
{
    if (statement->name)
        (void)err_context(err, "%s", statement->name);
    if (db->in_transaction && !db->has_failed) {
        db->has_failed = true;
        db->failure = *err;
    }
    return false;
}

bool db_run(struct db *db, void *owner, const struct statement *statement, const struct value *args,
            size_t count, struct rows **rows, struct err *err)
{
    if (!run_check(db, statement, count, err))
        return false;
    if (!shut_check(db, err) || !args_check(statement, args, count, err) ||
        !db->driver->run(db, owner, statement, args, count, rows, err))
        return failed(db, statement, err);
    return true;
}

bool db_run_many(struct db *db, const struct statement *statement, const struct value *args,
                 size_t count, size_t row_count, struct err *err)
{
    if (!db->in_transaction)
        bug("%s: db_run_many outside a transaction", statement->name);
    if (!run_check(db, statement, count, err))
        return false;
    if (!shut_check(db, err) || !args_check(statement, args, count * row_count, err) ||
        !db->driver->run_many(db, statement, args, count, row_count, err))
        return failed(db, statement, err);
    return true;
}

bool db_body_run(struct db *db, db_body *body, void *context, struct err *err)
{
    db->in_transaction = true;
    db->has_failed = false;
    db->may_retry = false;
    bool worked = body(db, context, err);
    db->in_transaction = false;
    if (worked && db->has_failed) {
        *err = db->failure;
        return false;
    }
    return worked;
}

static bool transaction_once(struct db *db, db_body *body, void *context, struct err *err)
{
    if (!shut_check(db, err) || !db->driver->begin(db, err))
        return false;
    if (!db_body_run(db, body, context, err) || !shut_check(db, err)) {
        db->driver->rollback(db);
        return false;
    }
    return db->driver->commit(db, err);
}

/* Two transactions that met should not meet again: wait up to 4, 8, 16, ... ms. */
static void pause_before(unsigned attempt)
{
    uint32_t random;
    random_bytes(&random, sizeof(random));
    struct timespec wait = {.tv_nsec = (long)(random % (4000000u << attempt))};
    (void)nanosleep(&wait, NULL); /* shorter is fine */
}

static bool transaction_here(struct db *db, db_body *body, void *context, struct err *err)
{
    for (unsigned attempt = 0;; attempt++) {
        db->may_retry = false;
        if (transaction_once(db, body, context, err))
            break;
        if (!db->may_retry || attempt == DB_RETRIES)
            return false;
        pause_before(attempt);
    }
    atomic_fetch_add(&db->database->commits, 1);
    atomic_fetch_add(&db->database->transactions, 1);
    return true;
}

bool db_transaction(struct db *db, db_body *body, void *context, struct err *err)
{
    if (db->in_transaction || db->is_waiting)
        bug("a transaction inside a transaction");
    if (db->database->writer && db->role == DB_READER)
        return writer_run(db->database->writer, db, body, context, err);
    return transaction_here(db, body, context, err);
}

bool db_in_transaction(const struct db *db)
{
    return db->in_transaction;
}

uint64_t database_transactions(const struct database *database)
{
    return atomic_load(&database->transactions);
}

uint64_t database_commits(const struct database *database)
{
    return atomic_load(&database->commits);
}
