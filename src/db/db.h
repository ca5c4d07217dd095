/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door to SQL.  One SQL text serves SQLite and PostgreSQL; a statement is a constant that
 * tools/sql.py generated from a .sql file, so that text built at run time does not compile.
 *
 * A `struct database` is the process's handle (pool, and SQLite's writer thread); a `struct db` is
 * one thread's connection.  Outside a transaction a connection can only read.
 */
#pragma once

#include "base/field.h"

struct statement {
    const char *name;         /* "device_by_id": stable, for logs and prepared names */
    const char *sql;          /* parameters $1..$n */
    const char *sql_postgres; /* NULL, or what PostgreSQL needs instead */
};

enum value_type { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BYTES };

struct value {
    enum value_type type;
    int64_t integer; /* booleans too: 0 or 1 */
    double real;
    const char *text;   /* NUL-terminated */
    struct bytes bytes; /* VALUE_BYTES */
};

/* Parameter lists: db_run(db, owner, &SQL_X, ARGS(TEXT(id), INTEGER(now)), &rows, err). */
static inline struct value value_text(const char *text)
{
    return (struct value){.type = text ? VALUE_TEXT : VALUE_NULL, .text = text};
}
static inline struct value value_bytes(struct bytes bytes)
{
    return (struct value){.type = bytes.data ? VALUE_BYTES : VALUE_NULL, .bytes = bytes};
}
static inline struct value value_time(int64_t at)
{
    return (struct value){.type = at ? VALUE_INTEGER : VALUE_NULL, .integer = at};
}
#define TEXT(text) value_text(text) /* NULL pointer = SQL NULL */
#define INTEGER(number) ((struct value){.type = VALUE_INTEGER, .integer = (number)})
#define REAL(number) ((struct value){.type = VALUE_REAL, .real = (number)})
#define BYTES(bytes) value_bytes(bytes) /* data NULL = SQL NULL */
#define TIME(at) value_time(at)         /* 0 = SQL NULL */
#define ARGS(...)                                                                                  \
    (const struct value[]){__VA_ARGS__},                                                           \
        sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)
#define NO_ARGS NULL, 0

struct rows { /* whole result, owned by the owner given to db_run */
    size_t count, columns;
    const char **names;
    struct value *values; /* row-major */
    int64_t changed;      /* rows inserted, updated or deleted */
};

#define DB_ROWS_MAX 100000 /* rows of one result; more is ERR_TOO_LARGE */
#define DB_ARGS_MAX 64     /* parameters of one statement */

struct database;
struct db;

/* "sqlite:/path/file.db" or "postgres:<libpq conninfo>". Closing the owner closes the handle:
 * transactions that still wait get ERR_UNAVAILABLE; no connection may be used afterwards. */
MUST_CHECK bool database_open(void *owner, const char *url, struct database **out, struct err *err);
/* Bring the schema to the newest version: each migration in its own transaction, recorded with
 * a checksum; ERR_PRECONDITION when the database is newer than this program or a recorded migration
 * changed. */
MUST_CHECK bool database_migrate(struct database *database, struct err *err);
/* Is there nothing to migrate? Changes nothing; ERR_PRECONDITION as above. */
MUST_CHECK bool database_is_current(struct database *database, bool *is_current, struct err *err);
/* A connection for the calling thread; belongs to owner. */
MUST_CHECK bool db_connect(void *owner, struct database *database, struct db **out,
                           struct err *err);
/* Prepare every statement of a list now, so that a bad one is found at start. */
MUST_CHECK bool db_prepare(struct db *db, const struct statement *const *list, size_t count,
                           struct err *err);

/* Run one statement; rows may be NULL. ERR_CONFLICT for a violated constraint, ERR_UNAVAILABLE
 * when busy or the server is gone, ERR_TOO_LARGE, ERR_INTERNAL otherwise.  Inside a transaction
 * a failure is final: later statements and the transaction fail too, on both engines (expect a
 * duplicate with ON CONFLICT DO NOTHING and look at rows->changed). */
MUST_CHECK bool db_run(struct db *db, void *owner, const struct statement *statement,
                       const struct value *args, size_t count, struct rows **rows, struct err *err);

/* The same statement for row_count rows of `count` arguments each (row-major); pipelined on
 * PostgreSQL.  Only inside a transaction, and only for statements that return no rows. */
MUST_CHECK bool db_run_many(struct db *db, const struct statement *statement,
                            const struct value *args, size_t count, size_t row_count,
                            struct err *err);

/*
 * Run body in a transaction: commit when it returns true, roll back otherwise; true is returned
 * only after the data is durable.  body may run again (serialization failure on PostgreSQL) and
 * on SQLite runs on the writer thread inside a savepoint beside other requests' bodies: it must
 * be short, touch only `tx` and its context, and never call keyd, the network or a renderer.
 */
typedef bool db_body(struct db *tx, void *context, struct err *err);
MUST_CHECK bool db_transaction(struct db *db, db_body *body, void *context, struct err *err);
bool db_in_transaction(const struct db *db);

/* Since open: transactions that were kept, and the commits that they took together. */
uint64_t database_transactions(const struct database *database);
uint64_t database_commits(const struct database *database);

/* Copy row `index` into a struct by field table (columns that no row names are skipped; a
 * member whose column is NULL or missing becomes absent, 0 or false). Texts and bytes belong to
 * rows. An enum name that is not in the table is ERR_INTERNAL. */
MUST_CHECK bool rows_read(const struct rows *rows, size_t index, struct fields fields, void *target,
                          struct err *err);
const struct value *rows_value(const struct rows *rows, size_t index, const char *column);
const char *rows_text(const struct rows *rows, size_t index, const char *column); /* or NULL */
int64_t rows_integer(const struct rows *rows, size_t index, const char *column);  /* NULL = 0 */
