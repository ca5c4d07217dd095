/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "sim/passcode.h"

static struct passcode_rules rules_of(const char *key, int64_t integer, bool is_flag)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct passcode_rules rules = PASSCODE_NO_RULES;
    struct plist *payload = plist_new_dict(scratch);
    if (is_flag)
        plist_set_boolean(payload, key, integer != 0);
    else
        plist_set_integer(payload, key, integer);
    passcode_rules_add(&rules, payload);
    return rules;
}

static const struct passcode six_digits = {.present = true, .length = 6};

static void without_rules_every_passcode_complies(void **state)
{
    struct passcode_rules rules = PASSCODE_NO_RULES;
    (void)state;
    assert_true(passcode_complies(&(struct passcode){0}, &rules));
    assert_true(passcode_complies(&six_digits, &rules));
}

static void a_forced_passcode_must_exist(void **state)
{
    struct passcode_rules rules = rules_of("forcePIN", 1, true);
    (void)state;
    assert_false(passcode_complies(&(struct passcode){0}, &rules));
    assert_true(passcode_complies(&six_digits, &rules));
}

static void length_and_composition_hold_for_a_passcode_that_exists(void **state)
{
    struct passcode_rules longer = rules_of("minLength", 8, false);
    struct passcode_rules letters = rules_of("requireAlphanumeric", 1, true);
    struct passcode_rules symbols = rules_of("minComplexChars", 2, false);
    struct passcode_rules strong = rules_of("allowSimple", 0, true);
    struct passcode good = {.present = true, .length = 9, .alphanumeric = true, .complex = 2};
    struct passcode simple = {.present = true, .length = 8, .simple = true};
    (void)state;
    assert_false(passcode_complies(&six_digits, &longer));
    assert_false(passcode_complies(&six_digits, &letters));
    assert_false(passcode_complies(&six_digits, &symbols));
    assert_false(passcode_complies(&simple, &strong));
    assert_true(passcode_complies(&good, &longer));
    assert_true(passcode_complies(&good, &letters));
    assert_true(passcode_complies(&good, &symbols));
    assert_true(passcode_complies(&(struct passcode){0}, &longer));
}

static void an_old_passcode_does_not_comply(void **state)
{
    struct passcode_rules rules = rules_of("maxPINAgeInDays", 90, false);
    struct passcode old = {.present = true, .length = 6, .age_days = 91};
    (void)state;
    assert_false(passcode_complies(&old, &rules));
    assert_true(passcode_complies(&six_digits, &rules));
}

static void the_strictest_of_two_payloads_holds(void **state)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct passcode_rules rules = PASSCODE_NO_RULES;
    struct plist *one = plist_new_dict(scratch), *two = plist_new_dict(scratch);
    (void)state;
    plist_set_integer(one, "minLength", 8);
    plist_set_integer(one, "maxInactivity", 10);
    plist_set_integer(one, "maxGracePeriod", 5);
    plist_set_integer(two, "minLength", 6);
    plist_set_integer(two, "maxInactivity", 2);
    plist_set_integer(two, "maxGracePeriod", 0);
    passcode_rules_add(&rules, one);
    passcode_rules_add(&rules, two);
    assert_int_equal(rules.min_length, 8);
    assert_int_equal(rules.max_inactivity, 2);
    assert_int_equal(rules.max_grace, 0);
}

static void a_passcode_is_written_by_length_and_letters(void **state)
{
    struct passcode passcode;
    struct err err = {0};
    (void)state;
    assert_works(passcode_parse("none", &passcode, &err), err);
    assert_false(passcode.present);
    assert_works(passcode_parse("simple", &passcode, &err), err);
    assert_true(passcode.simple);
    assert_works(passcode_parse("10acc", &passcode, &err), err);
    assert_int_equal(passcode.length, 10);
    assert_int_equal(passcode.complex, 2);
    assert_true(passcode.alphanumeric);
    assert_fails(passcode_parse("long", &passcode, &err), err, ERR_BAD_INPUT);
    assert_fails(passcode_parse("8x", &passcode, &err), err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_every_passcode_complies),
        cmocka_unit_test(a_forced_passcode_must_exist),
        cmocka_unit_test(length_and_composition_hold_for_a_passcode_that_exists),
        cmocka_unit_test(an_old_passcode_does_not_comply),
        cmocka_unit_test(the_strictest_of_two_payloads_holds),
        cmocka_unit_test(a_passcode_is_written_by_length_and_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
