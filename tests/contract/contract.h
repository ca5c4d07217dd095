/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contract tests: the same test program runs against SQLite and PostgreSQL.  Every test gets a
 * fresh database.  The program's last argument is `sqlite` (a file in a temporary directory) or
 * what tests/contract/with_postgres.py puts there.
 *
 *     static void a_device_is_found_again(void **state)
 *     {
 *         struct contract *contract = *state;
 *         ... contract->db, contract->owner ...
 *     }
 *     int main(int argc, char **argv)
 *     {
 *         static const struct CMUnitTest tests[] = {CONTRACT_TEST(a_device_is_found_again)};
 *         contract_begin(argc, argv);
 *         return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 */
#pragma once

#include "tests/test.h"

#include "db/db.h"

struct contract {
    void *owner; /* freed after the test */
    const char *url;
    bool is_postgres;
    struct database *database;
    struct db *db;   /* of the test's own thread */
    char folder[64]; /* SQLite's; empty otherwise */
};

/* A test with a migrated database, and one with an empty one. */
#define CONTRACT_TEST(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, contract_open_migrated, contract_close)
#define CONTRACT_TEST_EMPTY(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, contract_open_empty, contract_close)

void contract_begin(int argc, char **argv);
int contract_open_migrated(void **state);
int contract_open_empty(void **state);
int contract_close(void **state);

/* Close everything and open the same database again, as a restart does. */
void contract_reopen(struct contract *contract);
