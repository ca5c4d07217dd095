/* SPDX-License-Identifier: Apache-2.0 */
/* What db.h promises about statements, values and transactions, on both engines. */
#include "tests/contract/contract.h"

#include <math.h>

#include "db/migrate.h"
#include "tests/contract/test_db_sql.h"

static const struct statement *const things[] = {&SQL_THING_MAKE, &SQL_COUNTER_MAKE,
                                                 &SQL_PARENT_MAKE, &SQL_CHILD_MAKE};

struct single { /* a transaction of one statement */
    const struct statement *statement;
    const struct value *args;
    size_t count;
};

static bool run_single(struct db *tx, void *context, struct err *err)
{
    const struct single *single = context;
    return db_run(tx, NULL, single->statement, single->args, single->count, NULL, err);
}

static bool write_one(struct db *db, const struct statement *statement, const struct value *args,
                      size_t count, struct err *err)
{
    struct single single = {statement, args, count};
    return db_transaction(db, run_single, &single, err);
}

static int make_tables(void **state)
{
    struct err err;
    if (contract_open_empty(state) != 0)
        return -1;
    struct contract *contract = *state;
    assert_works(database_migrate_with(contract->database, NULL, 0, &err), err);
    for (size_t i = 0; i < COUNT(things); i++)
        assert_works(write_one(contract->db, things[i], NO_ARGS, &err), err);
    return 0;
}

static int64_t count_things(struct contract *contract)
{
    struct err err;
    struct rows *rows;
    assert_works(db_run(contract->db, contract->owner, &SQL_THING_COUNT, NO_ARGS, &rows, &err),
                 err);
    return rows_integer(rows, 0, "count");
}

static void values_come_back_as_they_went_in(void **state)
{
    static const uint8_t raw[] = {0, 1, 0xff, '\'', 0, '\\'};
    struct contract *contract = *state;
    struct err err;
    struct rows *rows;
    assert_works(write_one(contract->db, &SQL_THING_INSERT,
                           ARGS(TEXT("a"), TEXT("it's \"Ünï\" \\ 日本 $1 %s"), INTEGER(INT64_MIN),
                                INTEGER(1), REAL(0.1), BYTES(BYTES_OF(raw)), TIME(1700000000),
                                TEXT(""), TEXT("{}")),
                           &err),
                 err);
    assert_works(
        db_run(contract->db, contract->owner, &SQL_THING_BY_ID, ARGS(TEXT("a")), &rows, &err), err);
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "name"), "it's \"Ünï\" \\ 日本 $1 %s");
    assert_true(rows_integer(rows, 0, "size") == INT64_MIN);
    assert_int_equal(rows_value(rows, 0, "is_big")->type, VALUE_INTEGER);
    assert_int_equal(rows_integer(rows, 0, "is_big"), 1);
    assert_true(rows_value(rows, 0, "weight")->real == 0.1);
    assert_true(bytes_equal(rows_value(rows, 0, "data")->bytes, BYTES_OF(raw)));
    assert_int_equal(rows_integer(rows, 0, "seen_at"), 1700000000);
    assert_string_equal(rows_text(rows, 0, "kind"), "");
}

int main(int argc, char **argv)
{
#define THING_TEST(test) cmocka_unit_test_setup_teardown(test, make_tables, contract_close)
    static const struct CMUnitTest tests[] = {
        THING_TEST(values_come_back_as_they_went_in),
    };
    contract_begin(argc, argv);
    (void)count_things;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
