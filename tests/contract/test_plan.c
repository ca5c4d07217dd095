/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No statement of the store reads a whole table unless it is named here with the reason: with
 * hundreds of thousands of devices it would take seconds, each time.  SQLite is asked without
 * statistics (nobody makes any) and with them; PostgreSQL for its generic plan.
 */
#include <stdio.h>

#include "db/migrate.h"
#include "store/store.h"
#include "tests/contract/plan_sql.h"
#include "tests/contract/trial.h"

#define DEVICES 2000
#define BEFORE_MARKS 13 /* migrations */

struct exception {
    const struct statement *statement;
    const char *why;
};
#define FEW "a table of a few rows"
#define NEWEST "one row, the last of an index"
#define PAGE "people look at it, a page at a time"

static const struct exception exceptions[] = {
    {&SQL_ORGANIZATION_GET, FEW},
    {&SQL_AUTHORITY_LIST, FEW},
    {&SQL_AUTHORITY_DEVICES, "a number for people, of all devices"},
    {&SQL_AUTHORITY_UNTRUSTING, "a number for people, of all devices"},
    {&SQL_RENEWAL_BRING_FORWARD, "all of them, once, after another authority came into use"},
    {&SQL_ORGANIZATION_EVIDENCE_SET, FEW},
    {&SQL_COMPLIANCE_ALL_DUE, "all of them, when the limits of evidence were changed"},
    {&SQL_ORGANIZATION_WAYS_SET, FEW},
    {&SQL_DESIRED_UNPLAN_ALL, "all of them, when devices may take another way"},
    {&SQL_DESIRED_BY_DEVICE, FEW}, /* the organization */
    {&SQL_SERVICE_GET, FEW},
    {&SQL_SERVICE_INSERT, FEW},
    {&SQL_SERVICE_DEVICE_PUT, FEW},
    {&SQL_SERVICE_PROFILE_ONLY_AUTOMATIC, FEW},
    {&SQL_SERVICE_PROFILE_DUE, FEW},
    {&SQL_SERVICE_PROFILE_ALL, FEW},
    {&SQL_SERVICE_PROFILE_AGAIN, FEW},
    {&SQL_SERVICE_DEVICES_UNSEEN, "once, at the end of a fetch of everything"},
    {&SQL_SERVICE_DEVICE_COUNT, "people look at it"},
    {&SQL_TERMS_CURRENT, NEWEST},
    {&SQL_ACCOUNT_HOLD_ADMINISTRATORS, FEW},
    {&SQL_ACCOUNT_OTHER_ADMINISTRATORS, FEW},
    {&SQL_ACCOUNT_COUNT, FEW},
    {&SQL_OLD_TOKENS, FEW}, /* of people */
    {&SQL_POLICY_FIND, FEW},
    {&SQL_OLD_VARIANTS, FEW}, /* as many as there are different sets */
    {&SQL_PUSH_CERTIFICATE_NEWEST, FEW},
    {&SQL_PUSH_CERTIFICATE_REQUESTED, FEW},
    {&SQL_PUSH_CERTIFICATE_RETIRE_OTHERS, FEW},
    {&SQL_REVOCATION_PART_LIST, FEW},
    {&SQL_AUDIT_HEAD_LAST, NEWEST},
    {&SQL_JOB_LEASED, "once, when the server starts or stops"},
    {&SQL_JOB_RELEASE_ALL, "once, when the server starts"},
    {&SQL_CERTIFICATE_REQUEST_LIST, PAGE},
    {&SQL_COMMAND_LIST, PAGE},
    {&SQL_COMPLIANCE_COUNTS, "a number for people, of all devices"},
};

/* ---- what a planner says ---- */

struct asking {
    struct contract *contract;
    const struct rows
        *partial; /* indexes of some rows alone: reading one whole is what it is for */
    void *owner;
    size_t bad;
};

static bool index_is_partial(const struct asking *a, const char *text)
{
    size_t length = strcspn(text, " ");
    for (size_t i = 0; i < a->partial->count; i++) {
        const char *name = rows_text(a->partial, i, "name");
        if (strlen(name) == length && strncmp(name, text, length) == 0)
            return true;
    }
    return false;
}

static const char *behind(const char *text, const char *word)
{
    const char *found = strstr(text, word);
    return found ? found + strlen(word) : NULL;
}

static bool sqlite_reads_all(const struct asking *a, const struct rows *plan, size_t row)
{
    const char *line = rows_text(plan, row, "detail");
    const char *index = behind(line, "INDEX ");
    return strncmp(line, "SCAN ", 5) == 0 && strcmp(line, "SCAN CONSTANT ROW") != 0 &&
           !(index && index_is_partial(a, index));
}

/* PostgreSQL's choices for tables without rows say nothing. */
static bool table_is_big(const char *line)
{
    static const char *const tables[] = {" on command",     " on enrolment", " on device",
                                         " on certificate", " on event",     " on enrolment_link",
                                         " on desired",     " on job"};
    for (size_t i = 0; i < COUNT(tables); i++) {
        const char *found = behind(line, tables[i]);
        if (found && (*found == '\0' || *found == ' '))
            return true;
    }
    return false;
}

static bool postgres_reads_all(const struct asking *a, const struct rows *plan, size_t row)
{
    const char *line = rows_text(plan, row, "QUERY PLAN");
    const char *next = row + 1 < plan->count ? rows_text(plan, row + 1, "QUERY PLAN") : "";
    const char *index = behind(line, "Scan using ");
    if (!index)
        index = behind(line, "Scan Backward using ");
    return table_is_big(line) &&
           (strstr(line, "Seq Scan on ") ||
            (index && !strstr(next, "Index Cond:") && !index_is_partial(a, index)));
}

static void plan_check(struct asking *a, const struct statement *statement, const struct rows *plan)
{
    const char *column = a->contract->is_postgres ? "QUERY PLAN" : "detail";
    for (size_t row = 0; row < plan->count; row++) {
        if (!(a->contract->is_postgres ? postgres_reads_all : sqlite_reads_all)(a, plan, row))
            continue;
        print_error("%s: %s\n", statement->name, rows_text(plan, row, column));
        a->bad++;
    }
}

/* ---- how it is asked ---- */

static size_t parameters_of(const char *sql)
{
    size_t most = 0;
    for (const char *at = strchr(sql, '$'); at; at = strchr(at + 1, '$')) {
        size_t number = (size_t)strtoul(at + 1, NULL, 10);
        most = number > most ? number : most;
    }
    return most;
}

static void run(struct db *tx, const char *sql, struct rows **rows, void *owner)
{
    struct statement statement = {.sql = sql};
    struct err err;
    if (!db_run(tx, owner, &statement, NO_ARGS, rows, &err))
        fail_msg("%s: %s", sql, err.text);
}

static struct rows *sqlite_plan(struct db *tx, const struct asking *a,
                                const struct statement *statement)
{
    const struct value none[DB_ARGS_MAX] = {0};
    struct statement explain = {.sql =
                                    mem_format(a->owner, "EXPLAIN QUERY PLAN %s", statement->sql)};
    struct rows *rows = NULL;
    struct err err;
    if (!db_run(tx, a->owner, &explain, none, parameters_of(statement->sql), &rows, &err))
        fail_msg("%s: %s", statement->name, err.text);
    return rows;
}

static struct rows *postgres_plan(struct db *tx, const struct asking *a,
                                  const struct statement *statement)
{
    const char *sql = statement->sql_postgres ? statement->sql_postgres : statement->sql;
    struct rows *rows = NULL;
    size_t count = parameters_of(sql);
    const char *values = count ? "(NULL" : "";
    for (size_t i = 1; i < count; i++)
        values = mem_format(a->owner, "%s, NULL", values);
    run(tx, mem_format(a->owner, "PREPARE looked_at AS %s", sql), NULL, a->owner);
    run(tx,
        mem_format(a->owner, "EXPLAIN (COSTS OFF) EXECUTE looked_at%s%s", values, count ? ")" : ""),
        &rows, a->owner);
    run(tx, "DEALLOCATE looked_at", NULL, a->owner);
    return rows;
}

static bool is_excepted(const struct statement *statement)
{
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (exceptions[i].statement == statement)
            return true;
    return false;
}

static bool plans_look(struct db *tx, void *context, struct err *err)
{
    struct asking *a = context;
    (void)err;
    if (a->contract->is_postgres) {
        /* tables of a test are small enough to be read whole: is there another way? */
        run(tx, "SET LOCAL enable_seqscan = off", NULL, a->owner);
        run(tx, "SET LOCAL enable_hashjoin = off", NULL, a->owner);
        run(tx, "SET LOCAL enable_mergejoin = off", NULL, a->owner);
        run(tx, "SET LOCAL plan_cache_mode = force_generic_plan", NULL, a->owner);
    }
    for (size_t i = 0; i < store_statement_count; i++)
        if (!is_excepted(store_statements[i]))
            plan_check(a, store_statements[i],
                       (a->contract->is_postgres ? postgres_plan
                                                 : sqlite_plan)(tx, a, store_statements[i]));
    return true;
}

static void plans_are_good(struct contract *contract)
{
    struct asking a = {.contract = contract, .owner = contract->owner};
    struct err err;
    a.partial = trial_read(contract, &SQL_PLAN_PARTIAL_INDEXES, NO_ARGS);
    assert_works(db_transaction(contract->db, plans_look, &a, &err), err);
    assert_int_equal(a.bad, 0);
}

/* ---- tests ---- */

static void fill(struct contract *contract)
{
    static const struct statement *const makers[] = {
        &SQL_PLAN_LINKS,  &SQL_PLAN_ENROLMENTS, &SQL_PLAN_COMMANDS, &SQL_PLAN_CERTIFICATES,
        &SQL_PLAN_EVENTS, &SQL_PLAN_DESIRED,    &SQL_PLAN_JOBS,
    };
    static const struct statement analyze = {.name = "analyze", .sql = "ANALYZE"};
    struct err err;
    assert_works(trial_write(contract->db, &SQL_PLAN_DEVICES, ARGS(INTEGER(DEVICES)), &err), err);
    assert_works(trial_write(contract->db, &SQL_PLAN_DESIRED_VARIANT, ARGS(INTEGER(1)), &err), err);
    for (size_t i = 0; i < COUNT(makers); i++)
        assert_works(trial_write(contract->db, makers[i], NO_ARGS, &err), err);
    assert_works(trial_write(contract->db, &analyze, NO_ARGS, &err), err);
    contract_reopen(contract); /* connections read statistics when they are made */
}

static void nothing_is_read_whole_in_a_database_without_statistics(void **state)
{
    struct contract *contract = *state;
    if (!contract->is_postgres) /* which makes them by itself */
        plans_are_good(contract);
}

static void nothing_is_read_whole_in_a_full_database(void **state)
{
    struct contract *contract = *state;
    fill(contract);
    plans_are_good(contract);
}

#define MARKED 6 /* of plan_history_commands */

static void marks_are_right(struct contract *contract)
{
    struct rows *wrong = trial_read(contract, &SQL_PLAN_HISTORY_LOOK, NO_ARGS);
    for (size_t i = 0; i < wrong->count; i++)
        print_error("wrong: %s\n", rows_text(wrong, i, "id"));
    assert_int_equal(wrong->count, 0);
    assert_int_equal(
        rows_integer(trial_read(contract, &SQL_PLAN_HISTORY_MARKED, NO_ARGS), 0, "count"), MARKED);
}

/* By the migration, for what was there before, and by the statement that is used since. */
static void what_nothing_needs_any_more_is_marked(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(database_migrate_with(contract->database, migrations, BEFORE_MARKS, &err), err);
    assert_works(trial_write(contract->db, &SQL_PLAN_HISTORY_LINKS, NO_ARGS, &err), err);
    assert_works(trial_write(contract->db, &SQL_PLAN_HISTORY_ENROLMENTS, NO_ARGS, &err), err);
    assert_works(trial_write(contract->db, &SQL_PLAN_HISTORY_COMMANDS, NO_ARGS, &err), err);
    assert_works(database_migrate(contract->database, &err), err);
    marks_are_right(contract);
    struct rows *links = trial_read(contract, &SQL_PLAN_HISTORY_LINKS_LOOK, NO_ARGS);
    assert_int_equal(links->count, 1);
    assert_string_equal(rows_text(links, 0, "id"), "nothing");
    assert_works(trial_write(contract->db, &SQL_PLAN_HISTORY_FORGET, NO_ARGS, &err), err);
    assert_works(trial_write(contract->db, &SQL_COMMAND_OUTDATE,
                             ARGS(TEXT("there"), TEXT(NULL), TEXT(NULL)), &err),
                 err);
    assert_works(trial_write(contract->db, &SQL_COMMAND_OUTDATE,
                             ARGS(TEXT("left"), TEXT("lock"), TEXT(NULL)), &err),
                 err);
    marks_are_right(contract);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CONTRACT_TEST(nothing_is_read_whole_in_a_database_without_statistics),
        CONTRACT_TEST(nothing_is_read_whole_in_a_full_database),
        CONTRACT_TEST_EMPTY(what_nothing_needs_any_more_is_marked),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
