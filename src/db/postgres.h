/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the PostgreSQL driver share: sessions here, statements there. */
#pragma once

#include <libpq-fe.h>

#include "base/mem.h"
#include "db/driver.h"

struct postgres {
    PGconn *connection; /* NULL: lost, and to be made again */
    int64_t retry_at_ms, wait_ms;
    uint64_t prepared_count; /* names of prepared statements */
};

DEFINE_CLEANUP(PGresult *, PQclear)

/* The session, made again when it was lost (not inside a transaction). */
bool postgres_ready(struct db *db, PGconn **out, struct err *err);
/* The kind and sentence of a failed result (NULL: of the connection); drops a dead session. */
bool postgres_fail(struct db *db, const PGresult *result, struct err *err);
void postgres_drop(struct db *db);

bool postgres_prepare(struct db *db, const struct statement *statement, struct err *err);
bool postgres_run(struct db *db, void *owner, const struct statement *statement,
                  const struct value *args, size_t count, struct rows **rows, struct err *err);
bool postgres_run_many(struct db *db, const struct statement *statement, const struct value *args,
                       size_t count, size_t row_count, struct err *err);

/* postgres_claim.c */
bool postgres_claim(struct db *db, struct err *err);
bool postgres_claim_holds(struct db *db, struct err *err);
int postgres_claim_socket(struct db *db);
