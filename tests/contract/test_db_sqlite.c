/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's file and its writer thread: what shares a commit, and what happens when it fails. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "db/sqlite.h"
#include "tests/contract/trial.h"

#define BATCH 5

struct gate { /* a body that holds the writer while others queue up */
    sem_t is_inside, may_go;
};

static bool hold(struct db *tx, void *context, struct err *err)
{
    struct gate *gate = context;
    (void)tx;
    (void)err;
    assert_int_equal(sem_post(&gate->is_inside), 0);
    assert_int_equal(sem_wait(&gate->may_go), 0);
    return true;
}

struct member {
    struct database *database;
    db_body *body;
    void *context;
    pthread_t thread;
    bool worked;
    struct err err;
};

static void *member_main(void *context)
{
    struct member *member = context;
    struct db *db;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    member->worked = db_connect(owner, member->database, &db, &member->err) &&
                     db_transaction(db, member->body, member->context, &member->err);
    return NULL;
}

static void member_start(struct member *member, struct database *database, db_body *body,
                         void *context)
{
    *member = (struct member){.database = database, .body = body, .context = context};
    assert_int_equal(pthread_create(&member->thread, NULL, member_main, member), 0);
}

/* members[0] holds the writer; the others are queued behind it when this returns. */
static void members_start(struct contract *contract, struct member *members, struct gate *gate,
                          db_body *const *bodies, char *const *contexts)
{
    assert_int_equal(sem_init(&gate->is_inside, 0, 0), 0);
    assert_int_equal(sem_init(&gate->may_go, 0, 0), 0);
    member_start(&members[0], contract->database, hold, gate);
    assert_int_equal(sem_wait(&gate->is_inside), 0);
    for (size_t i = 1; i < BATCH; i++)
        member_start(&members[i], contract->database, bodies[i], contexts[i]);
    while (writer_waiting(contract->database->writer) < BATCH - 1)
        sched_yield();
}

static void members_join(struct member *members)
{
    for (size_t i = 0; i < BATCH; i++)
        assert_int_equal(pthread_join(members[i].thread, NULL), 0);
}

static bool add_thing(struct db *tx, void *context, struct err *err)
{
    return trial_step(tx, &SQL_THING_ADD, ARGS(TEXT(context), INTEGER(1)), err);
}

/* A reference that leads nowhere, found at the end of the transaction only. */
static bool add_orphan(struct db *tx, void *context, struct err *err)
{
    return trial_step(tx, &SQL_CHILD_INSERT, ARGS(TEXT(context), TEXT("nobody")), err);
}

static bool add_and_give_up(struct db *tx, void *context, struct err *err)
{
    return add_thing(tx, context, err) && err_set(err, ERR_FORBIDDEN, "no");
}

static int refuse(void *context)
{
    (void)context;
    return 1;
}

/* The commit that ends this body's batch fails. */
static bool add_and_spoil(struct db *tx, void *context, struct err *err)
{
    (void)sqlite3_commit_hook(sqlite_handle(tx), refuse, NULL);
    return add_thing(tx, context, err);
}

static bool unspoil(struct db *tx, void *context, struct err *err)
{
    (void)sqlite3_commit_hook(sqlite_handle(tx), NULL, NULL);
    return add_thing(tx, context, err);
}

static char *const names[BATCH] = {NULL, (char[]){"a"}, (char[]){"b"}, (char[]){"c"},
                                   (char[]){"d"}};

static void neighbours_of_a_failed_body_are_kept(void **state)
{
    static db_body *const bodies[BATCH] = {NULL, add_thing, add_and_give_up, add_orphan, add_thing};
    struct contract *contract = *state;
    struct member members[BATCH];
    struct gate gate;
    uint64_t commits = database_commits(contract->database);
    members_start(contract, members, &gate, bodies, names);
    assert_int_equal(sem_post(&gate.may_go), 0);
    members_join(members);
    assert_true(members[0].worked && members[1].worked && members[4].worked);
    assert_fails(members[2].worked, members[2].err, ERR_FORBIDDEN);
    assert_fails(members[3].worked, members[3].err, ERR_CONFLICT);
    assert_int_equal(trial_thing_count(contract), 2);
    assert_int_equal(database_commits(contract->database) - commits, 2);
}

static void a_failed_commit_fails_the_whole_batch(void **state)
{
    static db_body *const bodies[BATCH] = {NULL, add_thing, add_and_give_up, add_and_spoil,
                                           add_thing};
    struct contract *contract = *state;
    struct member members[BATCH];
    struct gate gate;
    struct err err;
    members_start(contract, members, &gate, bodies, names);
    assert_int_equal(sem_post(&gate.may_go), 0);
    members_join(members);
    assert_true(members[0].worked);
    assert_fails(members[2].worked, members[2].err, ERR_FORBIDDEN);
    for (size_t i = 1; i < BATCH; i++)
        assert_false(members[i].worked);
    assert_int_equal(trial_thing_count(contract), 0);
    assert_works(db_transaction(contract->db, unspoil, names[1], &err), err);
    assert_int_equal(trial_thing_count(contract), 1);
}

static void *let_go(void *context)
{
    struct gate *gate = context;
    struct timespec moment = {.tv_nsec = 20000000}; /* the close should be under way by then */
    (void)nanosleep(&moment, NULL);
    assert_int_equal(sem_post(&gate->may_go), 0);
    return NULL;
}

static void closing_answers_everybody(void **state)
{
    static db_body *const bodies[BATCH] = {NULL, add_thing, add_thing, add_thing, add_thing};
    struct contract *contract = *state;
    struct member members[BATCH];
    struct gate gate;
    pthread_t helper;
    members_start(contract, members, &gate, bodies, names);
    assert_int_equal(pthread_create(&helper, NULL, let_go, &gate), 0);
    mem_free(contract->database);
    assert_int_equal(pthread_join(helper, NULL), 0);
    members_join(members);
    assert_true(members[0].worked);
    for (size_t i = 1; i < BATCH; i++)
        assert_fails(members[i].worked, members[i].err, ERR_UNAVAILABLE);
}

static void the_file_is_private(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct contract *contract = *state;
    struct stat info;
    for (size_t i = 0; i < COUNT(ends); i++) {
        const char *path = mem_format(contract->owner, "%s/test.db%s", contract->folder, ends[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

/* Checkpoints keep up with the writer, and the log starts again. */
static void the_log_does_not_grow_without_limit(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct stat info;
    size_t size = 1 << 20;
    uint8_t *data = mem_array(contract->owner, uint8_t, size);
    for (int i = 0; i < 64; i++) {
        memset(data, i, size);
        assert_works(trial_write(contract->db, &SQL_THING_DATA,
                                 ARGS(TEXT("a"), BYTES(((struct bytes){data, size}))), &err),
                     err);
    }
    const char *path = mem_format(contract->owner, "%s/test.db-wal", contract->folder);
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size < 40 << 20);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TRIAL_TEST(the_file_is_private),
        TRIAL_TEST(the_log_does_not_grow_without_limit),
        TRIAL_TEST(neighbours_of_a_failed_body_are_kept),
        TRIAL_TEST(a_failed_commit_fails_the_whole_batch),
        TRIAL_TEST(closing_answers_everybody),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
