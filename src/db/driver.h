/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine offers to db.c, and what db.c offers to the engines.  Included inside db/ only. */
#pragma once

#include <stdatomic.h>

#include "db/db.h"
#include "db/migrate.h"

struct writer;

enum db_role {
    DB_READER,   /* a thread's connection: reads, and hands its transactions on where need be */
    DB_WRITER,   /* SQLite's one writing connection */
    DB_MIGRATOR, /* changes the schema, alone */
};

/* Limits that hold on both engines; DB_ROWS_MAX and DB_ARGS_MAX are in db.h. */
#define DB_RESULT_SIZE_MAX MEM_LARGEST /* bytes of texts and blobs in one result */
#define DB_BUSY_MS 5000                /* wait for SQLite's or PostgreSQL's locks */
#define DB_STATEMENT_MS 30000          /* one statement */
#define DB_RETRIES 5                   /* of a transaction that met another one */

/*
 * A statement without a name is prepared, run and forgotten.  `statement` is checked against
 * `count` by the driver; args are finite numbers and UTF-8 already.
 */
struct driver {
    const char *scheme;
    bool has_writer; /* transactions of readers go to one writer thread */
    bool (*open)(struct db *db, struct err *err);
    bool (*prepare)(struct db *db, const struct statement *statement, struct err *err);
    bool (*run)(struct db *db, void *owner, const struct statement *statement,
                const struct value *args, size_t count, struct rows **rows, struct err *err);
    bool (*run_many)(struct db *db, const struct statement *statement, const struct value *args,
                     size_t count, size_t row_count, struct err *err);
    bool (*begin)(struct db *db, struct err *err);
    bool (*commit)(struct db *db, struct err *err); /* false: nothing was kept, or unknown */
    void (*rollback)(struct db *db);
    bool (*migrate_start)(struct db *db, struct err *err); /* keep other nodes out */
    bool (*migrate_check)(struct db *db, struct err *err); /* before a migration's commit */
    /* Once: ERR_CONFLICT when another process has it. Held until this connection is freed. */
    bool (*claim)(struct db *db, struct err *err);
    bool (*claim_holds)(struct db *db, struct err *err); /* without asking or waiting */
    int (*claim_socket)(struct db *db);                  /* readable: look at it; -1: none */
};

extern const struct driver sqlite_driver;
extern const struct driver postgres_driver;

struct database {
    const struct driver *driver;
    const char *address; /* the url behind the scheme */
    struct writer *writer;
    atomic_uint_fast64_t commits, transactions;
    atomic_bool is_shut; /* its claim is lost: db/claim.h */
};

struct cache_slot {
    const struct statement *statement; /* NULL: free */
    void *prepared;                    /* owned by the cache's owner */
};

struct cache { /* prepared statements of one connection, by the statement's address */
    struct cache_slot *slots;
    size_t room, count;
};

void *cache_find(const struct cache *cache, const struct statement *statement);
void cache_add(struct cache *cache, void *owner, const struct statement *statement, void *prepared);
void cache_clear(struct cache *cache); /* frees what was prepared */

struct db {
    struct database *database;
    const struct driver *driver;
    enum db_role role;
    void *connection; /* the driver's own; closes itself when freed */
    struct cache cache;
    bool in_transaction; /* this is the `tx` of a body */
    bool is_waiting;     /* its thread waits for the writer: nobody may touch it */
    bool has_failed;     /* a statement of this transaction failed, see `failure` */
    bool may_retry;      /* ... because of another transaction */
    struct err failure;
};

struct db *db_open(void *owner, struct database *database, enum db_role role, struct err *err);

/* Run a body between begin and commit that the caller issues: false when the body, or a statement
 * whose failure the body swallowed, failed. */
bool db_body_run(struct db *db, db_body *body, void *context, struct err *err);

/* The writer thread of one SQLite database; stops when freed (queued jobs: ERR_UNAVAILABLE). */
bool writer_start(void *owner, struct database *database, struct writer **out, struct err *err);
bool writer_run(struct writer *writer, struct db *db, db_body *body, void *context,
                struct err *err);

struct rows_builder {
    struct rows *rows; /* free with CLEANUP(rows_builder_free) */
    size_t room, block_left, size;
    char *block;
};

void rows_begin(struct rows_builder *builder, size_t columns);
void rows_name(struct rows_builder *builder, size_t column, const char *name);
/* One more row of NULLs. The pointer is good until the next row. */
MUST_CHECK bool rows_add(struct rows_builder *builder, struct value **out, struct err *err);
/* A copy with a NUL behind it that lives as long as the rows. */
MUST_CHECK bool rows_keep(struct rows_builder *builder, const void *data, size_t size, char **out,
                          struct err *err);
void rows_builder_free(struct rows_builder *builder);
