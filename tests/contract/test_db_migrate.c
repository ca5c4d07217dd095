/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: forward only, each whole or not at all, and never over a schema we do not know. */
#include "db/migrate.h"
#include "tests/contract/trial.h"

static const char *const first[] = {
    "CREATE TABLE house (id TEXT PRIMARY KEY, plan BLOB)",
    "CREATE TABLE room (id TEXT PRIMARY KEY, house TEXT NOT NULL REFERENCES house (id))",
};
static const char *const second[] = {
    "INSERT INTO house (id) VALUES ('h')",
    "INSERT INTO room (id, house) VALUES ('r', 'h')",
};
static const char *const third[] = {"ALTER TABLE house ADD COLUMN name TEXT"};
static const char *const broken[] = {
    "INSERT INTO house (id) VALUES ('second')", "CREATE TABLE garden (id TEXT PRIMARY KEY)",
    "INSERT INTO house (id) VALUES ('h')", /* there already */
};
static const char *const dangling[] = {"INSERT INTO room (id, house) VALUES ('x', 'nowhere')"};

#define STEP(number, text, sum, list)                                                              \
    {                                                                                              \
        number, text, sum, list, COUNT(list)                                                       \
    }
static const struct migration good[] = {
    STEP(1, "first", "aa", first), STEP(2, "second", "bb", second), STEP(3, "third", "cc", third)};
static const struct migration changed[] = {STEP(1, "first", "aa", first),
                                           STEP(2, "second", "b2", second)};
static const struct migration failing[] = {STEP(1, "first", "aa", first),
                                           STEP(2, "second", "bb", second),
                                           STEP(3, "broken", "dd", broken)};
static const struct migration loose[] = {STEP(1, "first", "aa", first),
                                         STEP(2, "dangling", "ee", dangling)};

static int64_t applied(struct contract *contract)
{
    static const struct statement count = {.name = "count",
                                           .sql = "SELECT count(*) AS count FROM migration"};
    return rows_integer(trial_read(contract, &count, NO_ARGS), 0, "count");
}

static int64_t houses(struct contract *contract)
{
    static const struct statement count = {.name = "count",
                                           .sql = "SELECT count(*) AS count FROM house"};
    return rows_integer(trial_read(contract, &count, NO_ARGS), 0, "count");
}

static void an_empty_database_becomes_the_newest(void **state)
{
    static const struct statement look = {.name = "look",
                                          .sql = "SELECT id, name, plan FROM house"};
    static const struct statement record = {.name = "record",
                                            .sql = "SELECT * FROM migration WHERE version = 2"};
    struct contract *contract = *state;
    struct err err;
    assert_works(database_migrate_with(contract->database, good, 3, &err), err);
    assert_int_equal(trial_read(contract, &look, NO_ARGS)->count, 1);
    struct rows *rows = trial_read(contract, &record, NO_ARGS);
    assert_string_equal(rows_text(rows, 0, "name"), "second");
    assert_string_equal(rows_text(rows, 0, "checksum"), "bb");
    assert_true(rows_integer(rows, 0, "applied_at") > 1700000000);
}

static void migrating_twice_changes_nothing(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(database_migrate_with(contract->database, good, 2, &err), err);
    assert_works(database_migrate_with(contract->database, good, 2, &err), err);
    assert_int_equal(applied(contract), 2);
    contract_reopen(contract);
    assert_works(database_migrate_with(contract->database, good, 3, &err), err);
    assert_int_equal(applied(contract), 3);
    assert_int_equal(houses(contract), 1);
}

static void a_changed_migration_is_refused(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(database_migrate_with(contract->database, good, 3, &err), err);
    assert_fails(database_migrate_with(contract->database, changed, 2, &err), err,
                 ERR_PRECONDITION);
    assert_int_equal(applied(contract), 3);
}

static void a_newer_database_is_refused(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(database_migrate_with(contract->database, good, 3, &err), err);
    assert_fails(database_migrate_with(contract->database, good, 2, &err), err, ERR_PRECONDITION);
    assert_fails(database_migrate_with(contract->database, NULL, 0, &err), err, ERR_PRECONDITION);
}

static void a_failing_migration_leaves_the_state_before(void **state)
{
    static const struct statement garden = {.name = "garden", .sql = "SELECT id FROM garden"};
    struct contract *contract = *state;
    struct err err;
    assert_fails(database_migrate_with(contract->database, failing, 3, &err), err, ERR_CONFLICT);
    assert_non_null(strstr(err.text, "broken"));
    assert_int_equal(applied(contract), 2);
    assert_int_equal(houses(contract), 1);
    assert_fails(db_run(contract->db, NULL, &garden, NO_ARGS, NULL, &err), err, ERR_INTERNAL);
    assert_works(database_migrate_with(contract->database, good, 3, &err), err);
}

static void a_migration_leaves_no_dangling_reference(void **state)
{
    struct contract *contract = *state;
    struct err err;
    if (database_migrate_with(contract->database, loose, 2, &err))
        fail_msg("a row without its parent was kept");
    assert_int_equal(applied(contract), 1);
}

static bool is_current(struct contract *contract)
{
    bool current = false;
    struct err err;
    assert_works(database_is_current(contract->database, &current, &err), err);
    return current;
}

static void whether_there_is_something_to_migrate_is_seen_without_doing_it(void **state)
{
    static const struct statement newer = {
        .name = "newer",
        .sql = "INSERT INTO migration (version, name, checksum, applied_at) "
               "SELECT max(version) + 1, 'x', 'y', 0 FROM migration"};
    struct contract *contract = *state;
    bool current;
    struct err err;
    assert_false(is_current(contract));
    assert_false(is_current(contract)); /* it made nothing */
    assert_works(database_migrate_with(contract->database, migrations, migration_count - 1, &err),
                 err);
    assert_false(is_current(contract));
    assert_int_equal(applied(contract), migration_count - 1);
    assert_works(database_migrate(contract->database, &err), err);
    assert_true(is_current(contract));
    assert_works(trial_write(contract->db, &newer, NO_ARGS, &err), err);
    assert_fails(database_is_current(contract->database, &current, &err), err, ERR_PRECONDITION);
}

static void the_program_s_own_schema_is_made(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(applied(contract), migration_count);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CONTRACT_TEST_EMPTY(an_empty_database_becomes_the_newest),
        CONTRACT_TEST_EMPTY(migrating_twice_changes_nothing),
        CONTRACT_TEST_EMPTY(a_changed_migration_is_refused),
        CONTRACT_TEST_EMPTY(a_newer_database_is_refused),
        CONTRACT_TEST_EMPTY(a_failing_migration_leaves_the_state_before),
        CONTRACT_TEST_EMPTY(a_migration_leaves_no_dangling_reference),
        CONTRACT_TEST_EMPTY(whether_there_is_something_to_migrate_is_seen_without_doing_it),
        CONTRACT_TEST(the_program_s_own_schema_is_made),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
