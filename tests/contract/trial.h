/* SPDX-License-Identifier: Apache-2.0 */
/* Small tables and one-statement transactions for the tests of db/ itself. */
#pragma once

#include "tests/contract/contract.h"
#include "tests/contract/trial_sql.h"

/* A test with the tables of trial.sql and nothing else. */
#define TRIAL_TEST(test) cmocka_unit_test_setup_teardown(test, trial_open, contract_close)

int trial_open(void **state);

/* One statement in a transaction of its own. */
MUST_CHECK bool trial_write(struct db *db, const struct statement *statement,
                            const struct value *args, size_t count, struct err *err);
/* The same as a body's step, without rows. */
MUST_CHECK bool trial_step(struct db *tx, const struct statement *statement,
                           const struct value *args, size_t count, struct err *err);
/* One read outside a transaction; fails the test when it does not work. */
struct rows *trial_read(struct contract *contract, const struct statement *statement,
                        const struct value *args, size_t count);
int64_t trial_thing_count(struct contract *contract);
