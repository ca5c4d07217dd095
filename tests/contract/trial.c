/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/trial.h"

#include "db/migrate.h"

static const struct statement *const tables[] = {&SQL_THING_MAKE, &SQL_COUNTER_MAKE,
                                                 &SQL_PARENT_MAKE, &SQL_CHILD_MAKE};

struct single {
    const struct statement *statement;
    const struct value *args;
    size_t count;
};

static bool run_single(struct db *tx, void *context, struct err *err)
{
    const struct single *single = context;
    return trial_step(tx, single->statement, single->args, single->count, err);
}

bool trial_step(struct db *tx, const struct statement *statement, const struct value *args,
                size_t count, struct err *err)
{
    return db_run(tx, NULL, statement, args, count, NULL, err);
}

bool trial_write(struct db *db, const struct statement *statement, const struct value *args,
                 size_t count, struct err *err)
{
    struct single single = {statement, args, count};
    return db_transaction(db, run_single, &single, err);
}

struct rows *trial_read(struct contract *contract, const struct statement *statement,
                        const struct value *args, size_t count)
{
    struct err err;
    struct rows *rows = NULL;
    assert_works(db_run(contract->db, contract->owner, statement, args, count, &rows, &err), err);
    return rows;
}

int64_t trial_thing_count(struct contract *contract)
{
    return rows_integer(trial_read(contract, &SQL_THING_COUNT, NO_ARGS), 0, "count");
}

int trial_open(void **state)
{
    struct err err;
    if (contract_open_empty(state) != 0)
        return -1;
    struct contract *contract = *state;
    assert_works(database_migrate_with(contract->database, NULL, 0, &err), err);
    for (size_t i = 0; i < COUNT(tables); i++)
        assert_works(trial_write(contract->db, tables[i], NO_ARGS, &err), err);
    return 0;
}
