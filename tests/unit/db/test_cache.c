/* SPDX-License-Identifier: Apache-2.0 */
#include "db/driver.h"

#include <stdio.h>

#include "tests/test.h"

#define MANY 1000

static void statements_are_found_by_their_address(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct statement *statements = mem_array(owner, struct statement, MANY + 1);
    struct cache cache = {0};
    assert_null(cache_find(&cache, &statements[0]));
    for (size_t i = 0; i < MANY; i++)
        cache_add(&cache, owner, &statements[i], mem_format(owner, "%zu", i));
    for (size_t i = 0; i < MANY; i++) {
        char wanted[16];
        (void)snprintf(wanted, sizeof(wanted), "%zu", i);
        assert_string_equal(cache_find(&cache, &statements[i]), wanted);
    }
    assert_null(cache_find(&cache, &statements[MANY]));
    cache_clear(&cache);
    assert_null(cache_find(&cache, &statements[0]));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_found_by_their_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
