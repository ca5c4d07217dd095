/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/field.h"

struct thing {
    char *name;
    int64_t count;
    struct bytes token;
    bool is_on;
    int mode;
};

static const char *const modes[] = {"slow", "fast", "faster", NULL};
static const struct field rows[] = {
    TEXT_FIELD(struct thing, name, FIELD_REQUIRED, .lowest = 2, .highest = 4),
    INTEGER_FIELD(struct thing, count, 0, .lowest = -1, .highest = 5),
    BYTES_FIELD(struct thing, token, FIELD_SECRET),
    BOOLEAN_AS("isOn", struct thing, is_on, 0),
    ENUM_FIELD(struct thing, mode, 0, modes),
};

static void rows_are_found_by_their_outside_name(void **state)
{
    struct thing thing = {.count = 3};
    (void)state;
    assert_ptr_equal(field_find(FIELDS(rows), "isOn"), &rows[3]);
    assert_null(field_find(FIELDS(rows), "is_on"));
    assert_ptr_equal(field_at(&rows[1], &thing), &thing.count);
    assert_int_equal(*(const int64_t *)field_in(&rows[1], &thing), 3);
}

static void names_are_listed_for_people(void **state)
{
    static const char *const one[] = {"a", NULL}, *const none[] = {NULL};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    assert_string_equal(name_list(owner, modes), "slow, fast or faster");
    assert_string_equal(name_list(owner, one), "a");
    assert_string_equal(name_list(owner, none), "");
    assert_int_equal(name_find(modes, "faster"), 2);
    assert_int_equal(name_find(modes, "fas"), -1);
}

static bool text_fits(const char *text, struct err *err)
{
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, text);
    struct thing thing = {.name = copy};
    return field_check(&rows[0], &thing, err);
}

static void lengths_and_ranges_are_checked(void **state)
{
    struct thing thing = {.count = 5};
    struct err err;
    (void)state;
    assert_works(text_fits("ab", &err), err);
    assert_works(text_fits("abcd", &err), err);
    assert_fails(text_fits("a", &err), err, ERR_BAD_INPUT);
    assert_fails(text_fits("abcde", &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/name");
    assert_works(field_check(&rows[0], &thing, &err), err); /* absent */
    assert_works(field_check(&rows[1], &thing, &err), err);
    thing.count = 6;
    assert_fails(field_check(&rows[1], &thing, &err), err, ERR_BAD_INPUT);
    thing.count = -2;
    assert_fails(field_check(&rows[1], &thing, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/count");
}

static void bytes_without_a_length_have_one_all_the_same(void **state)
{
    uint8_t big[FIELD_TEXT_LONGEST + 1] = {0};
    struct thing thing = {.token = {big, FIELD_TEXT_LONGEST}};
    struct err err;
    (void)state;
    assert_works(field_check(&rows[2], &thing, &err), err);
    thing.token.size++;
    assert_fails(field_check(&rows[2], &thing, &err), err, ERR_BAD_INPUT);
}

static void a_text_is_counted_in_characters_and_must_be_seen(void **state)
{
    struct named {
        char *name;
    } named = {NULL};
    const struct field row = TEXT_FIELD(struct named, name, 0, .lowest = 1, .highest = 3);
    static const struct {
        const char *text;
        bool fits;
    } cases[] = {{"\u00e4\u00f6\u00fc", true}, {"abcd", false}, {"", false}, {"  ", false},
                 {"\u00a0\u200b", false},      {" a", true}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        CLEANUP(mem_free_at) char *text = mem_text(NULL, cases[i].text);
        named.name = text;
        assert_int_equal(field_check(&row, &named, &err), cases[i].fits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_counted_in_characters_and_must_be_seen),
        cmocka_unit_test(rows_are_found_by_their_outside_name),
        cmocka_unit_test(names_are_listed_for_people),
        cmocka_unit_test(lengths_and_ranges_are_checked),
        cmocka_unit_test(bytes_without_a_length_have_one_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
