/* SPDX-License-Identifier: Apache-2.0 */
/* One server works on a database: the claim, on both engines. */
#include <unistd.h>

#include "db/claim.h"
#include "tests/contract/trial.h"

static struct database *another(struct contract *contract, const char *url)
{
    struct database *database;
    struct err err;
    assert_works(database_open(contract->owner, url, &database, &err), err);
    return database;
}

static void a_second_claim_is_refused_and_says_who(void **state)
{
    struct contract *contract = *state;
    struct claim *first, *second;
    struct err err;
    assert_works(database_claim(contract->owner, contract->database, &first, &err), err);
    assert_true(database_claim_holds(first, &err));
    struct database *other = another(contract, contract->url);
    assert_fails(database_claim(contract->owner, other, &second, &err), err, ERR_CONFLICT);
    assert_non_null(strstr(err.text, "another musterd works on"));
    assert_non_null(err.remedy);
    if (contract->is_postgres)
        assert_non_null(strstr(err.text, "PostgreSQL session"));
}

static void a_claim_ends_with_its_holder(void **state)
{
    struct contract *contract = *state;
    struct claim *first, *second;
    struct err err;
    assert_works(database_claim(contract->owner, contract->database, &first, &err), err);
    mem_free(first);
    bool worked = false;
    for (int tries = 0; tries < 100 && !worked; tries++) { /* PostgreSQL hears of it a bit later */
        worked = database_claim(contract->owner, another(contract, contract->url), &second, &err);
        if (!worked)
            (void)usleep(50000);
    }
    assert_works(worked, err);
}

/* musterd admin works beside a server. */
static void a_claim_stops_no_one_who_claims_nothing(void **state)
{
    struct contract *contract = *state;
    struct claim *claim;
    struct db *db;
    struct err err;
    assert_works(database_claim(contract->owner, contract->database, &claim, &err), err);
    assert_works(db_connect(contract->owner, another(contract, contract->url), &db, &err), err);
    assert_works(trial_write(db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err);
    assert_int_equal(trial_thing_count(contract), 1);
}

/* ---- PostgreSQL alone: sessions can be lost ---- */

static struct claim *claim_and_lose(struct contract *contract)
{
    struct claim *claim;
    struct db *killer;
    struct err err;
    assert_works(database_claim(contract->owner, contract->database, &claim, &err), err);
    assert_works(db_connect(contract->owner, another(contract, contract->url), &killer, &err), err);
    assert_works(db_run(killer, NULL, &SQL_KILL_OTHERS, ARGS(TEXT("musterd")), NULL, &err), err);
    bool holds = true;
    for (int tries = 0; tries < 100 && holds; tries++) {
        holds = database_claim_holds(claim, &err);
        if (holds)
            (void)usleep(50000);
    }
    assert_fails(holds, err, ERR_UNAVAILABLE);
    return claim;
}

static void nothing_reaches_the_database_while_the_claim_is_lost(void **state)
{
    struct contract *contract = *state;
    struct err err;
    if (!contract->is_postgres)
        return;
    struct claim *claim = claim_and_lose(contract);
    assert_int_equal(database_claim_socket(claim), -1);
    assert_fails(db_run(contract->db, NULL, &SQL_THING_COUNT, NO_ARGS, NULL, &err), err,
                 ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "claim"));
    assert_fails(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err,
                 ERR_UNAVAILABLE);
    assert_false(database_claim_holds(claim, &err)); /* it does not come back by itself */
    assert_works(database_claim_again(claim, &err), err);
    assert_true(database_claim_holds(claim, &err));
    /* the other session was killed, too, and comes back */
    assert_fails(db_run(contract->db, NULL, &SQL_THING_COUNT, NO_ARGS, NULL, &err), err,
                 ERR_UNAVAILABLE);
    assert_int_equal(trial_thing_count(contract), 0);
}

static void a_lost_claim_that_another_one_took_is_not_regained(void **state)
{
    struct contract *contract = *state;
    struct claim *second;
    struct err err;
    if (!contract->is_postgres)
        return;
    struct claim *claim = claim_and_lose(contract);
    assert_works(database_claim(contract->owner, another(contract, contract->url), &second, &err),
                 err);
    assert_fails(database_claim_again(claim, &err), err, ERR_CONFLICT);
    assert_fails(db_run(contract->db, NULL, &SQL_THING_COUNT, NO_ARGS, NULL, &err), err,
                 ERR_UNAVAILABLE);
}

/* A transaction that began under the claim and ends without it. */
static bool lose_meanwhile(struct db *tx, void *context, struct err *err)
{
    if (!trial_step(tx, &SQL_THING_ADD, ARGS(TEXT("late"), INTEGER(1)), err))
        return false;
    struct claim *claim = context;
    struct err why;
    assert_false(database_claim_holds(claim, &why));
    return true;
}

static void a_transaction_is_not_kept_when_the_claim_is_lost_under_it(void **state)
{
    struct contract *contract = *state;
    struct claim *claim;
    struct db *killer;
    struct err err;
    if (!contract->is_postgres)
        return;
    /* the claim's session calls itself otherwise, so that only it is ended */
    struct database *named = another(
        contract, mem_format(contract->owner, "%s application_name=claimant", contract->url));
    struct db *db;
    assert_works(db_connect(contract->owner, named, &db, &err), err);
    assert_works(database_claim(contract->owner, named, &claim, &err), err);
    assert_works(db_connect(contract->owner, another(contract, contract->url), &killer, &err), err);
    assert_works(db_run(killer, NULL, &SQL_KILL_OTHERS, ARGS(TEXT("claimant")), NULL, &err), err);
    (void)usleep(200000);
    assert_fails(db_run(db, NULL, &SQL_THING_COUNT, NO_ARGS, NULL, &err), err, ERR_UNAVAILABLE);
    assert_fails(db_transaction(db, lose_meanwhile, claim, &err), err, ERR_UNAVAILABLE);
    assert_int_equal(trial_thing_count(contract), 0);
}

static void other_schemas_and_databases_have_claims_of_their_own(void **state)
{
    struct contract *contract = *state;
    struct claim *claims[3];
    struct err err;
    if (!contract->is_postgres)
        return;
    assert_works(trial_write(contract->db, &SQL_SCHEMA_MAKE, NO_ARGS, &err), err);
    const char *schema =
        mem_format(contract->owner, "%s options='-c search_path=elsewhere'", contract->url);
    const char *database = mem_format(contract->owner, "%s dbname=template1", contract->url);
    assert_works(database_claim(contract->owner, contract->database, &claims[0], &err), err);
    assert_works(database_claim(contract->owner, another(contract, schema), &claims[1], &err), err);
    assert_works(database_claim(contract->owner, another(contract, database), &claims[2], &err),
                 err);
    const char *nowhere =
        mem_format(contract->owner, "%s options='-c search_path=nowhere'", contract->url);
    assert_fails(database_claim(contract->owner, another(contract, nowhere), &claims[0], &err), err,
                 ERR_PRECONDITION);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TRIAL_TEST(a_second_claim_is_refused_and_says_who),
        TRIAL_TEST(a_claim_ends_with_its_holder),
        TRIAL_TEST(a_claim_stops_no_one_who_claims_nothing),
        TRIAL_TEST(nothing_reaches_the_database_while_the_claim_is_lost),
        TRIAL_TEST(a_lost_claim_that_another_one_took_is_not_regained),
        TRIAL_TEST(a_transaction_is_not_kept_when_the_claim_is_lost_under_it),
        TRIAL_TEST(other_schemas_and_databases_have_claims_of_their_own),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
