/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the SQLite driver share: connections, statements and the writer thread. */
#pragma once

#include <sqlite3.h>

#include "db/driver.h"

struct sqlite {
    sqlite3 *handle;
    int64_t deadline_ms; /* of the running statement; 0: none */
    int wal_pages;
    int claim; /* descriptor that holds the lock; -1: none */
};

/* The kind and sentence of a failed call. */
bool sqlite_fail(const struct sqlite *sqlite, int code, struct err *err);

bool sqlite_prepare(struct db *db, const struct statement *statement, struct err *err);
bool sqlite_run(struct db *db, void *owner, const struct statement *statement,
                const struct value *args, size_t count, struct rows **rows, struct err *err);
bool sqlite_run_many(struct db *db, const struct statement *statement, const struct value *args,
                     size_t count, size_t row_count, struct err *err);

/* sqlite_claim.c */
bool sqlite_claim(struct db *db, struct err *err);
bool sqlite_claim_holds(struct db *db, struct err *err);
int sqlite_claim_socket(struct db *db);

/* ---- for the writer thread, and for tests that make it fail ---- */

size_t writer_waiting(struct writer *writer); /* queued behind what runs: tests look at it */
/* SQLite's own handle, for the writer and for tests that make it fail. */
struct sqlite3 *sqlite_handle(struct db *db);
bool sqlite_savepoint(struct db *db, struct err *err);
bool sqlite_release(struct db *db, struct err *err);
bool sqlite_undo(struct db *db); /* back to the savepoint; false: the transaction is gone */
bool sqlite_references_open(struct db *db); /* a deferred foreign key is violated now */
void sqlite_checkpoint(struct db *db, bool is_idle);
