/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"
#include "tests/contract/contract.h"

static void every_statement_of_the_store_can_be_prepared(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_true(store_statement_count > 100);
    assert_works(db_prepare(contract->db, store_statements, store_statement_count, &err), err);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CONTRACT_TEST(every_statement_of_the_store_can_be_prepared),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
