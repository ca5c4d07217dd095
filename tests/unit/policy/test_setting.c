/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/setting.h"

#include "base/text.h"
#include "random.h"
#include "tests/test.h"

static void every_row_of_the_catalogue_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        assert_non_null(setting->name);
        assert_true(text_starts(setting->name, setting->area));
        assert_int_equal(setting->name[strlen(setting->area)], '.');
        assert_non_null(setting->title);
        assert_true(strlen(setting->title) > 5);
        assert_true(strlen(setting->help) > 20);
        assert_int_equal(setting->help[strlen(setting->help) - 1], '.');
        assert_ptr_equal(setting_find(setting->name), setting);
        assert_int_equal(setting_id_of(setting), i);
        assert_true(setting->compliance >> PLATFORM_COUNT == 0);
        if (setting->type == SETTING_INTEGER) {
            assert_true(setting->lowest < setting->highest);
            assert_true(setting->lowest >= 0);
            assert_non_null(setting->unit);
            assert_true(setting->rule == STRICTER_HIGHER || setting->rule == STRICTER_LOWER);
        }
        if (setting->type == SETTING_BOOLEAN)
            assert_true(setting->rule == STRICTER_TRUE || setting->rule == STRICTER_FALSE);
        if (setting->type == SETTING_ENUM)
            assert_non_null(setting->choices[0]);
    }
    assert_int_equal(SETTING_COUNT, 32);
    assert_null(setting_find("password.minimum"));
    assert_null(setting_find(""));
}

static void ranges_are_kept_at_their_edges(void **state)
{
    static const struct {
        enum setting_id id;
        int64_t value;
        bool is_valid;
    } cases[] = {
        {SETTING_PASSWORD_MIN_LENGTH, 3, false},
        {SETTING_PASSWORD_MIN_LENGTH, 4, true},
        {SETTING_PASSWORD_MIN_LENGTH, 16, true},
        {SETTING_PASSWORD_MIN_LENGTH, 17, false},
        {SETTING_PASSWORD_MIN_LENGTH, 0, false},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 0, true},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 3, false},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 4, true},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 11, true},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 12, false},
        {SETTING_PASSWORD_SCREEN_OFF_MINUTES, 0, true},
        {SETTING_PASSWORD_SCREEN_OFF_MINUTES, 60, true},
        {SETTING_PASSWORD_SCREEN_OFF_MINUTES, 61, false},
        {SETTING_PASSWORD_SCREEN_OFF_MINUTES, -1, false},
        {SETTING_PASSWORD_REQUIRED, 1, true},
        {SETTING_PASSWORD_REQUIRED, 2, false},
        {SETTING_PASSWORD_REQUIRED, -1, false},
        {SETTING_PASSWORD_TYPE, 2, true},
        {SETTING_PASSWORD_TYPE, 3, false},
        {SETTING_PASSWORD_TYPE, -1, false},
        {SETTING_PASSWORD_QUALITY, 7, true},
        {SETTING_PASSWORD_QUALITY, 8, false},
        {SETTING_SYSTEM_UPDATE_VERSION, 99999999, false},
        {SETTING_SYSTEM_UPDATE_VERSION, 100000000, true},
        {SETTING_SYSTEM_UPDATE_BY, 946684799, false},
        {SETTING_SYSTEM_UPDATE_BY, 946684800, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        const struct setting *setting = &settings[cases[i].id];
        if (cases[i].is_valid) {
            assert_works(setting_check(setting, cases[i].value, &err), err);
            continue;
        }
        assert_fails(setting_check(setting, cases[i].value, &err), err, ERR_BAD_INPUT);
        assert_non_null(strstr(err.text, setting->name));
    }
}

static void the_error_names_the_rule(void **state)
{
    struct err err = {0};
    int64_t value = -7;
    (void)state;
    assert_false(setting_check(&settings[SETTING_PASSWORD_MIN_LENGTH], 20, &err));
    assert_string_equal(err.text, "password.min_length must be 4 to 16");
    assert_false(setting_check(&settings[SETTING_PASSWORD_MAX_FAILURES_WIPE], 20, &err));
    assert_string_equal(err.text, "password.max_failures_wipe must be 4 to 11, or 0 (off)");
    assert_false(setting_value_parse(&settings[SETTING_PASSWORD_TYPE], "hard", &value, &err));
    assert_string_equal(err.text, "password.type must be default, numeric or alphanumeric");
    assert_false(setting_value_parse(&settings[SETTING_PASSWORD_REQUIRED], "yes", &value, &err));
    assert_string_equal(err.text, "password.required must be false or true");
    assert_int_equal(value, -7);
}

static void every_value_is_printed_and_parsed_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        for (int64_t value = -2; value <= 1500; value++) {
            struct err err = {0};
            int64_t back = -9;
            if (!setting_check(&settings[i], value, &err))
                continue;
            CLEANUP(mem_free_at) char *text = setting_value_text(NULL, &settings[i], value);
            assert_works(setting_value_parse(&settings[i], text, &back, &err), err);
            assert_int_equal(back, value);
        }
    }
}

static void what_is_no_value_is_refused(void **state)
{
    static const char *const texts[] = {
        "",   " 8",  "8 ", "0x8",  "8.0", "-8",    "99999999999999999999",
        "+8", "off", "On", "TRUE", "1e1", "eight", "8\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct err err = {0};
        int64_t value = -9;
        const struct setting *setting = &settings[SETTING_PASSWORD_MIN_LENGTH];
        assert_fails(setting_value_parse(setting, texts[i], &value, &err), err, ERR_BAD_INPUT);
        assert_int_equal(value, -9);
    }
}

static void versions_and_times_are_values(void **state)
{
    static const struct {
        enum setting_id id;
        const char *text, *shown; /* NULL: refused */
    } rows[] = {
        {SETTING_SYSTEM_UPDATE_VERSION, "18.2.1", "18.2.1"},
        {SETTING_SYSTEM_UPDATE_VERSION, "18.10", "18.10"},
        {SETTING_SYSTEM_UPDATE_VERSION, "18", "18.0"},
        {SETTING_SYSTEM_UPDATE_VERSION, "18.0.0", "18.0"},
        {SETTING_SYSTEM_UPDATE_VERSION, "9999.9999.9999", "9999.9999.9999"},
        {SETTING_SYSTEM_UPDATE_VERSION, "0.9", NULL},
        {SETTING_SYSTEM_UPDATE_VERSION, "18.2.1.1", NULL},
        {SETTING_SYSTEM_UPDATE_VERSION, "18.10000", NULL},
        {SETTING_SYSTEM_UPDATE_VERSION, "10000", NULL},
        {SETTING_SYSTEM_UPDATE_VERSION, "18.2b", NULL},
        {SETTING_SYSTEM_UPDATE_VERSION, "", NULL},
        {SETTING_SYSTEM_UPDATE_BY, "2026-12-01T20:00:00", "2026-12-01T20:00:00"},
        {SETTING_SYSTEM_UPDATE_BY, "9999-12-31T23:59:59", "9999-12-31T23:59:59"},
        {SETTING_SYSTEM_UPDATE_BY, "1999-12-31T23:59:59", NULL},
        {SETTING_SYSTEM_UPDATE_BY, "2026-12-01T20:00:00Z", NULL},
        {SETTING_SYSTEM_UPDATE_BY, "2026-12-01", NULL},
        {SETTING_SYSTEM_UPDATE_BY, "2026-02-30T20:00:00", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct setting *setting = &settings[rows[i].id];
        struct err err = {0};
        int64_t value = -9;
        if (!rows[i].shown) {
            assert_fails(setting_value_parse(setting, rows[i].text, &value, &err), err,
                         ERR_BAD_INPUT);
            assert_non_null(strstr(err.text, setting->name));
            continue;
        }
        assert_works(setting_value_parse(setting, rows[i].text, &value, &err), err);
        assert_string_equal(setting_value_text(*state, setting, value), rows[i].shown);
    }
}

static void strictness_follows_the_rule_of_the_row(void **state)
{
    static const struct {
        enum setting_id id;
        int64_t laxer, stricter;
    } cases[] = {
        {SETTING_PASSWORD_MIN_LENGTH, 6, 8},
        {SETTING_PASSWORD_EXPIRATION_DAYS, 90, 30},
        {SETTING_PASSWORD_REQUIRED, 0, 1},
        {SETTING_PASSWORD_ALLOW_SIMPLE, 1, 0},
        {SETTING_PASSWORD_TYPE, 1, 2},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 0, 11},
        {SETTING_PASSWORD_MAX_FAILURES_WIPE, 11, 4},
        {SETTING_PASSWORD_SCREEN_OFF_MINUTES, 0, 60},
        {SETTING_PASSWORD_GRACE_MINUTES, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool comparable = false;
        const struct setting *setting = &settings[cases[i].id];
        assert_true(setting_compare(setting, cases[i].laxer, cases[i].stricter, &comparable) < 0);
        assert_true(comparable);
        assert_true(setting_satisfied(setting, cases[i].laxer, cases[i].stricter));
        assert_false(setting_satisfied(setting, cases[i].stricter, cases[i].laxer));
    }
}

static void comparing_is_a_total_order(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (size_t round = 0; round < 20000; round++) {
        bool comparable;
        const struct setting *setting = &settings[random_below(&seed, SETTING_COUNT)];
        int64_t a = random_value(&seed, setting);
        int64_t b = random_value(&seed, setting);
        int64_t c = random_value(&seed, setting);
        int ab = setting_compare(setting, a, b, &comparable);
        assert_true(comparable);
        assert_int_equal(ab, -setting_compare(setting, b, a, &comparable));
        assert_int_equal(ab == 0, a == b);
        if (ab >= 0 && setting_compare(setting, b, c, &comparable) >= 0)
            assert_true(setting_compare(setting, a, c, &comparable) >= 0);
        assert_true(setting_satisfied(setting, a, a));
        if (setting_is_laxest(setting, a))
            assert_true(setting_satisfied(setting, a, b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_catalogue_is_complete),
        cmocka_unit_test(ranges_are_kept_at_their_edges),
        cmocka_unit_test(the_error_names_the_rule),
        cmocka_unit_test(every_value_is_printed_and_parsed_back),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(versions_and_times_are_values),
        cmocka_unit_test(strictness_follows_the_rule_of_the_row),
        cmocka_unit_test(comparing_is_a_total_order),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
