/* SPDX-License-Identifier: Apache-2.0 */
/* What db.h promises about transactions: all or nothing, on many threads, durable. */
#include <pthread.h>

#include "tests/contract/trial.h"

#define THREADS 8
#define ROUNDS 50

static bool add_and_fail(struct db *tx, void *context, struct err *err)
{
    (void)context;
    return trial_step(tx, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), err) &&
           err_set(err, ERR_PRECONDITION, "changed my mind");
}

static void a_failed_body_leaves_nothing(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_fails(db_transaction(contract->db, add_and_fail, NULL, &err), err, ERR_PRECONDITION);
    assert_string_equal(err.text, "changed my mind");
    assert_int_equal(trial_thing_count(contract), 0);
}

static void a_duplicate_is_a_conflict(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err);
    assert_fails(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(2)), &err), err,
                 ERR_CONFLICT);
    assert_fails(trial_write(contract->db, &SQL_COUNTER_START, ARGS(TEXT(NULL)), &err), err,
                 ERR_CONFLICT);
}

/* PostgreSQL would refuse the second statement; SQLite alone would not. */
static bool swallow_a_failure(struct db *tx, void *context, struct err *err)
{
    struct err ignored;
    bool *was_refused = context;
    (void)err;
    if (trial_step(tx, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(2)), &ignored))
        fail_msg("a duplicate was taken");
    *was_refused = !trial_step(tx, &SQL_THING_ADD, ARGS(TEXT("b"), INTEGER(2)), &ignored);
    return true;
}

static void a_swallowed_failure_fails_the_transaction(void **state)
{
    struct contract *contract = *state;
    struct err err;
    bool was_refused = false;
    assert_works(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err);
    assert_fails(db_transaction(contract->db, swallow_a_failure, &was_refused, &err), err,
                 ERR_CONFLICT);
    assert_true(was_refused);
    assert_int_equal(trial_thing_count(contract), 1);
}

static bool read_own_writes(struct db *tx, void *context, struct err *err)
{
    int64_t *changed = context;
    CLEANUP(mem_free_at) struct rows *rows = NULL;
    CLEANUP(mem_free_at) struct rows *again = NULL;
    CLEANUP(mem_free_at) struct rows *all = NULL;
    assert_true(db_in_transaction(tx));
    if (!db_run(tx, NULL, &SQL_THING_ADD_UNLESS, ARGS(TEXT("a"), INTEGER(1)), &rows, err) ||
        !db_run(tx, NULL, &SQL_THING_ADD_UNLESS, ARGS(TEXT("a"), INTEGER(1)), &again, err) ||
        !trial_step(tx, &SQL_THING_ADD, ARGS(TEXT("b"), INTEGER(2)), err) ||
        !db_run(tx, NULL, &SQL_THING_RESIZE_ALL, ARGS(INTEGER(10)), &all, err))
        return false;
    assert_int_equal(all->count, 2);
    changed[0] = rows->changed;
    changed[1] = again->changed;
    changed[2] = all->changed;
    return true;
}

static void a_transaction_sees_what_it_wrote(void **state)
{
    struct contract *contract = *state;
    struct err err;
    int64_t changed[3] = {0};
    assert_false(db_in_transaction(contract->db));
    assert_works(db_transaction(contract->db, read_own_writes, changed, &err), err);
    assert_int_equal(changed[0], 1);
    assert_int_equal(changed[1], 0);
    assert_int_equal(changed[2], 2);
    struct rows *rows = trial_read(contract, &SQL_THING_BY_ID, ARGS(TEXT("b")));
    assert_int_equal(rows_integer(rows, 0, "size"), 12);
    assert_int_equal(rows->changed, 0);
}

/* ---- many rows ---- */

#define MANY 1000

static bool add_many(struct db *tx, void *context, struct err *err)
{
    struct value *args = context;
    return db_run_many(tx, &SQL_THING_ADD, args, 2, MANY, err);
}

static bool resize_many(struct db *tx, void *context, struct err *err)
{
    struct value one = INTEGER(1);
    (void)context;
    return db_run_many(tx, &SQL_THING_RESIZE_ALL, &one, 1, 1, err);
}

static void many_rows_go_in_together(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct value *args = mem_array(contract->owner, struct value, 2 * MANY);
    for (size_t i = 0; i < MANY; i++) {
        args[2 * i] = TEXT(mem_format(args, "thing-%zu", i));
        args[2 * i + 1] = INTEGER((int64_t)i);
    }
    assert_works(db_transaction(contract->db, add_many, args, &err), err);
    assert_int_equal(trial_thing_count(contract), MANY);
    assert_fails(db_transaction(contract->db, add_many, args, &err), err, ERR_CONFLICT);
    assert_fails(db_transaction(contract->db, resize_many, NULL, &err), err, ERR_INTERNAL);
    for (size_t i = 0; i < MANY; i++)
        args[2 * i] = TEXT(mem_format(args, "%s-%zu", i == MANY / 2 ? "thing" : "other", i));
    assert_fails(db_transaction(contract->db, add_many, args, &err), err, ERR_CONFLICT);
    assert_int_equal(trial_thing_count(contract), MANY);
}

/* ---- many threads ---- */

static bool count_up(struct db *tx, void *context, struct err *err)
{
    return trial_step(tx, &SQL_COUNTER_ADD, ARGS(TEXT(context)), err);
}

struct worker {
    struct database *database;
    pthread_t thread;
    bool worked;
    struct err err;
};

static bool work(struct worker *worker)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct db *db;
    char counter[] = "c";
    if (!db_connect(owner, worker->database, &db, &worker->err))
        return false;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct rows *rows;
        if (!db_transaction(db, count_up, counter, &worker->err) ||
            !db_run(db, owner, &SQL_COUNTER_GET, ARGS(TEXT("c")), &rows, &worker->err))
            return false;
    }
    return true;
}

static void *worker_main(void *context)
{
    struct worker *worker = context;
    worker->worked = work(worker);
    return NULL;
}

static void threads_do_not_lose_each_other_s_writes(void **state)
{
    struct contract *contract = *state;
    struct worker workers[THREADS] = {0};
    struct err err;
    assert_works(trial_write(contract->db, &SQL_COUNTER_START, ARGS(TEXT("c")), &err), err);
    uint64_t transactions = database_transactions(contract->database);
    uint64_t commits = database_commits(contract->database);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].database = contract->database;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        if (!workers[i].worked)
            fail_msg("worker: %s", workers[i].err.text);
    }
    struct rows *rows = trial_read(contract, &SQL_COUNTER_GET, ARGS(TEXT("c")));
    assert_int_equal(rows_integer(rows, 0, "value"), THREADS * ROUNDS);
    transactions = database_transactions(contract->database) - transactions;
    commits = database_commits(contract->database) - commits;
    assert_int_equal(transactions, THREADS * ROUNDS);
    if (contract->is_postgres)
        assert_int_equal(commits, transactions);
    else
        assert_true(commits < transactions);
}

/* ---- commits ---- */

static void a_reference_that_leads_nowhere_fails_the_commit(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_fails(trial_write(contract->db, &SQL_CHILD_INSERT, ARGS(TEXT("c"), TEXT("p")), &err),
                 err, ERR_CONFLICT);
    assert_works(trial_write(contract->db, &SQL_PARENT_INSERT, ARGS(TEXT("p")), &err), err);
    assert_works(trial_write(contract->db, &SQL_CHILD_INSERT, ARGS(TEXT("c"), TEXT("p")), &err),
                 err);
}

static void what_was_kept_survives_a_restart(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err);
    contract_reopen(contract);
    assert_int_equal(trial_thing_count(contract), 1);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TRIAL_TEST(a_failed_body_leaves_nothing),
        TRIAL_TEST(a_duplicate_is_a_conflict),
        TRIAL_TEST(a_swallowed_failure_fails_the_transaction),
        TRIAL_TEST(a_transaction_sees_what_it_wrote),
        TRIAL_TEST(many_rows_go_in_together),
        TRIAL_TEST(threads_do_not_lose_each_other_s_writes),
        TRIAL_TEST(a_reference_that_leads_nowhere_fails_the_commit),
        TRIAL_TEST(what_was_kept_survives_a_restart),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
