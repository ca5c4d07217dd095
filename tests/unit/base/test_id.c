/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <ctype.h>

#include "base/id.h"

static void ids_are_uuids_that_sort_by_time(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const char *first = id_make(owner);
    (void)state;
    for (int i = 0; i < 100; i++) {
        const char *next = id_make(owner);
        assert_true(id_is_valid(next));
        assert_int_equal(next[14], '7');
        assert_non_null(strchr("89ab", next[19]));
        assert_true(strncmp(first, next, 13) <= 0); /* the milliseconds */
        assert_string_not_equal(first, next);
        first = next;
    }
}

static void other_forms_are_upper_case(void **state)
{
    static const uint8_t digest[32] = {0xAB, 0xCD};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const char *random = id_make_random_upper(owner);
    (void)state;
    assert_true(id_is_valid(random));
    assert_int_equal(random[14], '4');
    for (const char *at = random; *at; at++)
        assert_false(islower((unsigned char)*at));
    assert_string_equal(id_from_digest(owner, digest), "ABCD0000-0000-8000-8000-000000000000");
}

static void what_is_no_uuid_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "0190a0b0-1234-7abc-8def-0123456789a",
        "0190a0b0-1234-7abc-8def-0123456789abc",
        "0190a0b0-1234-7abc-8def-0123456789ag",
        "0190a0b01-234-7abc-8def-0123456789ab",
        "{190a0b0-1234-7abc-8def-0123456789a}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(id_is_valid(bad[i]));
    assert_true(id_is_valid("0190A0b0-1234-7abc-8def-0123456789ab"));
}

static void random_texts_have_the_bits_that_were_asked_for(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const char *text = random_text(owner, 160);
    uint8_t big[1000] = {0};
    size_t zeros = 0;
    (void)state;
    assert_int_equal(strlen(text), 32);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 32);
    assert_string_not_equal(text, random_text(owner, 160));
    random_bytes(big, sizeof(big));
    for (size_t i = 0; i < sizeof(big); i++)
        zeros += big[i] == 0;
    assert_true(zeros < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_uuids_that_sort_by_time),
        cmocka_unit_test(other_forms_are_upper_case),
        cmocka_unit_test(what_is_no_uuid_is_refused),
        cmocka_unit_test(random_texts_have_the_bits_that_were_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
