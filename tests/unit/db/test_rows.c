/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"

#include "db/driver.h"
#include "tests/test.h"

static void a_result_grows_and_keeps_its_texts(void **state)
{
    (void)state;
    CLEANUP(rows_builder_free) struct rows_builder builder = {0};
    char text[3000]; /* larger and smaller than a block's share */
    struct value *row;
    struct err err;
    rows_begin(&builder, 2);
    rows_name(&builder, 0, "number");
    rows_name(&builder, 1, "text");
    for (size_t i = 0; i < sizeof(text); i += 7) {
        char *copy;
        memset(text, 'a' + (int)(i % 26), sizeof(text));
        assert_works(rows_add(&builder, &row, &err), err);
        assert_works(rows_keep(&builder, text, i, &copy, &err), err);
        row[0] = INTEGER((int64_t)i);
        row[1] = TEXT(copy);
    }
    for (size_t i = 0; i < builder.rows->count; i++) {
        size_t size = (size_t)rows_integer(builder.rows, i, "number");
        const char *kept = rows_text(builder.rows, i, "text");
        assert_int_equal(size, i * 7);
        assert_int_equal(strlen(kept), size);
        assert_true(size == 0 || kept[size - 1] == 'a' + (int)(size % 26));
    }
}

static void the_number_of_values_is_limited_too(void **state)
{
    (void)state;
    CLEANUP(rows_builder_free) struct rows_builder builder = {0};
    struct value *row;
    struct err err;
    size_t columns = 1000;
    size_t most = MEM_LARGEST / sizeof(struct value) / columns;
    rows_begin(&builder, columns);
    for (size_t i = 0; i < most; i++)
        assert_works(rows_add(&builder, &row, &err), err);
    assert_fails(rows_add(&builder, &row, &err), err, ERR_TOO_LARGE);
}

static void a_result_has_a_largest_size(void **state)
{
    static const char byte = 'x';
    struct rows_builder builder;
    struct err err;
    char *copy;
    (void)state;
    rows_begin(&builder, 1);
    assert_fails(rows_keep(&builder, &byte, DB_RESULT_SIZE_MAX, &copy, &err), err, ERR_TOO_LARGE);
    assert_fails(rows_keep(&builder, &byte, SIZE_MAX, &copy, &err), err, ERR_TOO_LARGE);
    assert_works(rows_keep(&builder, &byte, 1, &copy, &err), err);
    rows_builder_free(&builder);
}

struct flag {
    bool is_set;
    double part;
};

static void a_column_of_another_type_is_an_error(void **state)
{
    static const struct field table[] = {BOOLEAN_FIELD(struct flag, is_set, 0),
                                         REAL_FIELD(struct flag, part, 0)};
    static const char *names[] = {"is_set", "part"};
    struct value values[] = {TEXT("true"), INTEGER(2)};
    struct rows rows = {.count = 1, .columns = 2, .names = names, .values = values};
    struct flag flag = {0};
    struct err err;
    (void)state;
    assert_fails(rows_read(&rows, 0, FIELDS(table), &flag, &err), err, ERR_INTERNAL);
    values[0] = INTEGER(1);
    assert_works(rows_read(&rows, 0, FIELDS(table), &flag, &err), err);
    assert_true(flag.is_set);
    assert_true(flag.part == 2.0);
}

struct everything {
    char *text, *raw;
    int64_t integer, at;
    bool is_set;
    double part;
    struct bytes bytes;
    int choice;
};

static void what_a_row_does_not_say_is_absent(void **state)
{
    static const char *const choices[] = {"first", "second", NULL};
    static const struct field table[] = {TEXT_FIELD(struct everything, text, 0),
                                         RAW_FIELD(struct everything, raw, 0),
                                         INTEGER_FIELD(struct everything, integer, 0),
                                         TIME_FIELD(struct everything, at, 0),
                                         BOOLEAN_FIELD(struct everything, is_set, 0),
                                         REAL_FIELD(struct everything, part, 0),
                                         BYTES_FIELD(struct everything, bytes, 0),
                                         ENUM_FIELD(struct everything, choice, 0, choices)};
    static const char *names[] = {"text"};
    struct value values[] = {TEXT(NULL)};
    struct rows rows = {.count = 1, .columns = 1, .names = names, .values = values};
    struct everything target, nothing = {0};
    struct err err;
    (void)state;
    memset(&target, 0xa5, sizeof(target)); /* as on a stack */
    assert_works(rows_read(&rows, 0, FIELDS(table), &target, &err), err);
    assert_null(target.text);
    assert_null(target.raw);
    assert_int_equal(target.integer, nothing.integer);
    assert_int_equal(target.at, nothing.at);
    assert_false(target.is_set);
    assert_true(target.part == nothing.part);
    assert_null(target.bytes.data);
    assert_int_equal(target.bytes.size, 0);
    assert_int_equal(target.choice, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_grows_and_keeps_its_texts),
        cmocka_unit_test(the_number_of_values_is_limited_too),
        cmocka_unit_test(a_result_has_a_largest_size),
        cmocka_unit_test(a_column_of_another_type_is_an_error),
        cmocka_unit_test(what_a_row_does_not_say_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
