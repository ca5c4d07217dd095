/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: the steps that bring the schema forward.  tools/sql.py embeds the files of
 * db/migrations/; a released file never changes.
 */
#pragma once

#include "db/db.h"

struct migration {
    int64_t version; /* 1, 2, 3, ... without gaps */
    const char *name;
    const char *checksum; /* SHA-256 of the file, hexadecimal */
    const char *const *statements;
    size_t statement_count;
};

extern const struct migration migrations[];
extern const size_t migration_count;

/* Bring the schema to the end of this list; database_migrate() takes the embedded one. */
MUST_CHECK bool database_migrate_with(struct database *database, const struct migration *list,
                                      size_t count, struct err *err);
