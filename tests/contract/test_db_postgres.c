/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's sessions: refused, lost and found again, and blocked by each other. */
#include <libpq-fe.h>
#include <pthread.h>

#include "tests/contract/trial.h"

static bool add_thing(struct db *tx, void *context, struct err *err)
{
    return trial_step(tx, &SQL_THING_ADD, ARGS(TEXT(context), INTEGER(1)), err);
}

static bool count_up(struct db *tx, void *context, struct err *err)
{
    return trial_step(tx, &SQL_COUNTER_ADD, ARGS(TEXT(context)), err);
}

static bool lose_the_session(struct db *tx, void *context, struct err *err)
{
    struct contract *contract = context;
    struct db *other;
    struct err wanted;
    char thing[] = "a";
    if (!add_thing(tx, thing, err))
        return false;
    assert_works(db_connect(contract->owner, contract->database, &other, err), *err);
    assert_works(db_run(other, NULL, &SQL_KILL_OTHERS, ARGS(TEXT("musterd")), NULL, err), *err);
    if (trial_step(tx, &SQL_THING_ADD, ARGS(TEXT("b"), INTEGER(1)), &wanted))
        fail_msg("the session was not lost");
    *err = wanted;
    return false;
}

static void a_lost_session_comes_back(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct db *other;
    assert_works(db_connect(contract->owner, contract->database, &other, &err), err);
    assert_int_equal(trial_thing_count(contract), 0);
    assert_works(db_run(other, NULL, &SQL_KILL_OTHERS, ARGS(TEXT("musterd")), NULL, &err), err);
    assert_fails(db_run(contract->db, NULL, &SQL_THING_COUNT, NO_ARGS, NULL, &err), err,
                 ERR_UNAVAILABLE);
    assert_int_equal(trial_thing_count(contract), 0);
    assert_fails(db_transaction(contract->db, lose_the_session, contract, &err), err,
                 ERR_UNAVAILABLE);
    assert_int_equal(trial_thing_count(contract), 0);
    assert_works(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err);
    assert_int_equal(trial_thing_count(contract), 1);
}

/* ---- two transactions that block each other ---- */

struct crossing {
    struct database *database;
    pthread_t thread;
    bool worked;
    struct err err;
    char *first, *second;
    pthread_barrier_t *barrier;
    int runs;
};

static bool cross(struct db *tx, void *context, struct err *err)
{
    struct crossing *crossing = context;
    if (!count_up(tx, crossing->first, err))
        return false;
    if (crossing->runs++ == 0)
        (void)pthread_barrier_wait(crossing->barrier);
    return count_up(tx, crossing->second, err);
}

static void *crossing_main(void *context)
{
    struct crossing *crossing = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct db *db;
    crossing->worked = db_connect(owner, crossing->database, &db, &crossing->err) &&
                       db_transaction(db, cross, crossing, &crossing->err);
    return NULL;
}

static void a_deadlock_is_tried_again(void **state)
{
    struct contract *contract = *state;
    struct err err;
    char x[] = "x", y[] = "y";
    pthread_barrier_t barrier;
    assert_works(trial_write(contract->db, &SQL_COUNTER_START, ARGS(TEXT(x)), &err), err);
    assert_works(trial_write(contract->db, &SQL_COUNTER_START, ARGS(TEXT(y)), &err), err);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    struct crossing pair[2] = {{.first = x, .second = y}, {.first = y, .second = x}};
    for (size_t i = 0; i < 2; i++) {
        pair[i].database = contract->database;
        pair[i].barrier = &barrier;
        assert_int_equal(pthread_create(&pair[i].thread, NULL, crossing_main, &pair[i]), 0);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(pair[i].thread, NULL), 0);
    assert_true(pair[0].worked && pair[1].worked);
    assert_true(pair[0].runs + pair[1].runs >= 3);
    struct rows *rows = trial_read(contract, &SQL_COUNTER_GET, ARGS(TEXT(x)));
    assert_int_equal(rows_integer(rows, 0, "value"), 2);
    (void)pthread_barrier_destroy(&barrier);
}

static void command(const char *conninfo, const char *sql)
{
    PGconn *connection = PQconnectdb(conninfo);
    PGresult *result = PQexec(connection, sql);
    bool worked = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    PQfinish(connection);
    assert_true(worked);
}

static void a_database_of_another_encoding_is_refused(void **state)
{
    struct contract *contract = *state;
    struct database *database;
    struct err err;
    const char *conninfo = contract->url + strlen("postgres:");
    const char *other = mem_format(contract->owner, "%s dbname=other", contract->url);
    command(conninfo, "CREATE DATABASE other TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    assert_fails(database_open(contract->owner, other, &database, &err), err, ERR_PRECONDITION);
    assert_non_null(err.remedy);
    command(conninfo, "DROP DATABASE other");
}

/* The message of a data exception quotes the value. */
static void an_error_does_not_show_the_value(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_fails(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), TEXT("hunter2")), &err),
                 err, ERR_INTERNAL);
    assert_null(strstr(err.text, "hunter2"));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TRIAL_TEST(a_database_of_another_encoding_is_refused),
        TRIAL_TEST(an_error_does_not_show_the_value),
        TRIAL_TEST(a_lost_session_comes_back),
        TRIAL_TEST(a_deadlock_is_tried_again),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
