/* SPDX-License-Identifier: Apache-2.0 */
/* What db.h promises about statements and values, on both engines. */
#include <math.h>

#include "tests/contract/trial.h"

enum thing_kind { KIND_ROUND, KIND_SQUARE };
static const char *const kind_names[] = {"round", "square", NULL};

struct thing {
    char *id, *name, *raw;
    int64_t size, seen_at;
    bool is_big;
    double weight;
    struct bytes data;
    enum thing_kind kind;
};

static const struct field thing_fields[] = {
    TEXT_FIELD(struct thing, id, 0),      TEXT_FIELD(struct thing, name, 0),
    INTEGER_FIELD(struct thing, size, 0), BOOLEAN_FIELD(struct thing, is_big, 0),
    REAL_FIELD(struct thing, weight, 0),  BYTES_FIELD(struct thing, data, 0),
    TIME_FIELD(struct thing, seen_at, 0), ENUM_FIELD(struct thing, kind, 0, kind_names),
    RAW_FIELD(struct thing, raw, 0),      TEXT_AS("elsewhere", struct thing, name, 0),
};

#define NULLS7 TEXT(NULL), TEXT(NULL), TEXT(NULL), BYTES(NO_BYTES), TIME(0), TEXT(NULL), TEXT(NULL)

static struct rows *store_and_read(struct contract *contract, const struct value *args,
                                   size_t count)
{
    struct err err;
    assert_works(trial_write(contract->db, &SQL_THING_INSERT, args, count, &err), err);
    return trial_read(contract, &SQL_THING_BY_ID, args, 1);
}

static void values_come_back_as_they_went_in(void **state)
{
    static const uint8_t raw[] = {0, 1, 0xff, '\'', 0, '\\'};
    static const char name[] = "it's \"Ünï\" \\ 日本 $1 %s\n\t?";
    struct rows *rows = store_and_read(
        *state, ARGS(TEXT("a"), TEXT(name), INTEGER(INT64_MIN), INTEGER(1), REAL(0.1),
                     BYTES(BYTES_OF(raw)), TIME(1700000000), TEXT(""), TEXT("{\"a\": [1]}")));
    assert_int_equal(rows->count, 1);
    assert_string_equal(rows_text(rows, 0, "name"), name);
    assert_true(rows_integer(rows, 0, "size") == INT64_MIN);
    assert_int_equal(rows_value(rows, 0, "is_big")->type, VALUE_INTEGER);
    assert_int_equal(rows_integer(rows, 0, "is_big"), 1);
    assert_int_equal(rows_value(rows, 0, "weight")->type, VALUE_REAL);
    assert_true(rows_value(rows, 0, "weight")->real == 0.1);
    assert_true(bytes_equal(rows_value(rows, 0, "data")->bytes, BYTES_OF(raw)));
    assert_int_equal(rows_integer(rows, 0, "seen_at"), 1700000000);
    assert_string_equal(rows_text(rows, 0, "kind"), "");
    assert_string_equal(rows_text(rows, 0, "raw"), "{\"a\": [1]}");
}

static void the_largest_numbers_are_exact(void **state)
{
    struct rows *rows =
        store_and_read(*state, ARGS(TEXT("a"), TEXT(NULL), INTEGER(INT64_MAX), INTEGER(0),
                                    REAL(1.7976931348623157e308), BYTES(NO_BYTES),
                                    TIME(253402300799), TEXT(NULL), TEXT(NULL)));
    assert_true(rows_integer(rows, 0, "size") == INT64_MAX);
    assert_true(rows_value(rows, 0, "weight")->real == 1.7976931348623157e308);
    assert_int_equal(rows_value(rows, 0, "is_big")->type, VALUE_INTEGER);
    assert_int_equal(rows_integer(rows, 0, "is_big"), 0);
    assert_true(rows_integer(rows, 0, "seen_at") == 253402300799);
}

static void null_is_not_empty(void **state)
{
    struct contract *contract = *state;
    struct bytes empty = {(const uint8_t *)"", 0};
    struct rows *nothing = store_and_read(contract, ARGS(TEXT("null"), NULLS7, TEXT(NULL)));
    for (size_t i = 1; i < nothing->columns; i++)
        assert_int_equal(nothing->values[i].type, VALUE_NULL);
    assert_null(rows_text(nothing, 0, "name"));
    assert_int_equal(rows_integer(nothing, 0, "size"), 0);
    struct rows *rows =
        store_and_read(contract, ARGS(TEXT("empty"), TEXT(""), INTEGER(0), INTEGER(0), REAL(0),
                                      BYTES(empty), TIME(0), TEXT(""), TEXT("")));
    assert_int_equal(rows_value(rows, 0, "name")->type, VALUE_TEXT);
    assert_int_equal(rows_value(rows, 0, "data")->type, VALUE_BYTES);
    assert_non_null(rows_value(rows, 0, "data")->bytes.data);
    assert_int_equal(rows_value(rows, 0, "data")->bytes.size, 0);
    assert_int_equal(rows_value(rows, 0, "seen_at")->type, VALUE_NULL);
    assert_null(rows_value(rows, 0, "no_such_column"));
}

static void large_values_survive(void **state)
{
    struct contract *contract = *state;
    size_t size = 3 << 20;
    uint8_t *data = mem_array(contract->owner, uint8_t, size);
    char *text = mem_array(contract->owner, char, size + 1);
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(i * 7);
        text[i] = (char)('a' + i % 26);
    }
    struct bytes bytes = {data, size};
    struct rows *rows =
        store_and_read(contract, ARGS(TEXT("a"), TEXT(text), INTEGER(0), INTEGER(0), REAL(0),
                                      BYTES(bytes), TIME(0), TEXT(NULL), TEXT(NULL)));
    assert_string_equal(rows_text(rows, 0, "name"), text);
    assert_true(bytes_equal(rows_value(rows, 0, "data")->bytes, bytes));
}

static void a_field_table_fills_a_struct(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct thing thing = {.size = 99};
    static const uint8_t raw[] = {1, 0, 2};
    struct rows *rows =
        store_and_read(contract, ARGS(TEXT("a"), TEXT("ball"), INTEGER(7), INTEGER(1), REAL(2),
                                      BYTES(BYTES_OF(raw)), TIME(5), TEXT("square"), TEXT("[]")));
    assert_works(rows_read(rows, 0, FIELDS(thing_fields), &thing, &err), err);
    assert_string_equal(thing.id, "a");
    assert_string_equal(thing.name, "ball");
    assert_int_equal(thing.size, 7);
    assert_true(thing.is_big);
    assert_true(thing.weight == 2.0);
    assert_true(bytes_equal(thing.data, BYTES_OF(raw)));
    assert_int_equal(thing.seen_at, 5);
    assert_int_equal(thing.kind, KIND_SQUARE);
    assert_string_equal(thing.raw, "[]");
}

static void nulls_make_members_absent(void **state)
{
    struct err err;
    struct thing thing = {
        .size = 99, .seen_at = 3, .is_big = true, .weight = 1, .kind = KIND_SQUARE};
    struct rows *rows = store_and_read(*state, ARGS(TEXT("a"), NULLS7, TEXT(NULL)));
    assert_works(rows_read(rows, 0, FIELDS(thing_fields), &thing, &err), err);
    assert_int_equal(thing.size, 0);
    assert_int_equal(thing.seen_at, 0);
    assert_false(thing.is_big);
    assert_true(thing.weight == 0);
    assert_int_equal(thing.kind, KIND_ROUND);
    assert_null(thing.name);
}

static void an_unknown_enum_name_is_an_error(void **state)
{
    struct err err;
    struct thing thing = {0};
    struct rows *rows =
        store_and_read(*state, ARGS(TEXT("a"), TEXT(NULL), INTEGER(1), INTEGER(1), REAL(1),
                                    BYTES(NO_BYTES), TIME(0), TEXT("oval"), TEXT(NULL)));
    assert_fails(rows_read(rows, 0, FIELDS(thing_fields), &thing, &err), err, ERR_INTERNAL);
}

static void parameters_go_by_their_number(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_works(trial_write(contract->db, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), &err), err);
    assert_works(trial_write(contract->db, &SQL_THING_RESIZE,
                             ARGS(TEXT("a"), INTEGER(5), TEXT("new")), &err),
                 err);
    struct rows *rows = trial_read(contract, &SQL_THING_BY_ID, ARGS(TEXT("a")));
    assert_int_equal(rows_integer(rows, 0, "size"), 5);
    assert_string_equal(rows_text(rows, 0, "name"), "new");
}

static void an_optional_filter_takes_null(void **state)
{
    struct contract *contract = *state;
    (void)store_and_read(contract, ARGS(TEXT("a"), TEXT(NULL), INTEGER(1), INTEGER(1), REAL(1),
                                        BYTES(NO_BYTES), TIME(0), TEXT("round"), TEXT(NULL)));
    (void)store_and_read(contract, ARGS(TEXT("b"), TEXT(NULL), INTEGER(1), INTEGER(1), REAL(1),
                                        BYTES(NO_BYTES), TIME(0), TEXT("square"), TEXT(NULL)));
    assert_int_equal(trial_read(contract, &SQL_THING_BIG, ARGS(TEXT(NULL)))->count, 2);
    assert_int_equal(trial_read(contract, &SQL_THING_BIG, ARGS(TEXT("round")))->count, 1);
}

static void sums_of_integers_are_integers(void **state)
{
    struct contract *contract = *state;
    (void)store_and_read(contract, ARGS(TEXT("a"), TEXT(NULL), INTEGER(4), INTEGER(1), REAL(1),
                                        BYTES(NO_BYTES), TIME(0), TEXT(NULL), TEXT(NULL)));
    (void)store_and_read(contract, ARGS(TEXT("b"), TEXT(NULL), INTEGER(5), INTEGER(1), REAL(2),
                                        BYTES(NO_BYTES), TIME(0), TEXT(NULL), TEXT(NULL)));
    struct rows *rows = trial_read(contract, &SQL_THING_SUM, NO_ARGS);
    assert_int_equal(rows_value(rows, 0, "sum")->type, VALUE_INTEGER);
    assert_int_equal(rows_integer(rows, 0, "sum"), 9);
    assert_true(rows_value(rows, 0, "mean")->real == 1.5);
}

static void bad_arguments_are_refused(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct value bad[] = {TEXT("\xff\xfe"), REAL(NAN), REAL(INFINITY)};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(db_run(contract->db, NULL, &SQL_THING_BY_ID, &bad[i], 1, NULL, &err), err,
                     ERR_INTERNAL);
    assert_fails(db_run(contract->db, NULL, &SQL_THING_BY_ID, NO_ARGS, NULL, &err), err,
                 ERR_INTERNAL);
    assert_fails(
        db_run(contract->db, NULL, &SQL_THING_BY_ID, ARGS(TEXT("a"), TEXT("b")), NULL, &err), err,
        ERR_INTERNAL);
    assert_int_equal(trial_thing_count(contract), 0); /* and the connection still works */
}

static void every_statement_can_be_prepared(void **state)
{
    struct contract *contract = *state;
    struct err err;
    const struct statement *good[] = {&SQL_THING_INSERT, &SQL_THING_BY_ID, &SQL_ENGINE,
                                      &SQL_THING_BY_ID};
    const struct statement *bad[] = {&SQL_THING_BY_ID, &SQL_NOWHERE_GET};
    assert_works(db_prepare(contract->db, good, COUNT(good), &err), err);
    assert_fails(db_prepare(contract->db, bad, COUNT(bad), &err), err, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "nowhere_get"));
}

static void a_variant_serves_its_engine(void **state)
{
    struct contract *contract = *state;
    struct rows *rows = trial_read(contract, &SQL_ENGINE, NO_ARGS);
    assert_string_equal(rows_text(rows, 0, "engine"),
                        contract->is_postgres ? "postgres" : "sqlite");
}

static void too_many_rows_are_refused(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct rows *rows = trial_read(contract, &SQL_MANY_ROWS, ARGS(INTEGER(DB_ROWS_MAX)));
    assert_int_equal(rows->count, DB_ROWS_MAX);
    assert_int_equal(rows_integer(rows, DB_ROWS_MAX - 1, "n"), DB_ROWS_MAX);
    mem_free(rows);
    assert_fails(db_run(contract->db, contract->owner, &SQL_MANY_ROWS,
                        ARGS(INTEGER(DB_ROWS_MAX + 1)), &rows, &err),
                 err, ERR_TOO_LARGE);
    assert_int_equal(trial_thing_count(contract), 0);
}

static void too_many_bytes_are_refused(void **state)
{
    struct contract *contract = *state;
    struct err err;
    struct rows *rows;
    char *filler = mem_array(contract->owner, char, (1 << 20) + 1);
    memset(filler, 'x', 1 << 20);
    assert_fails(db_run(contract->db, contract->owner, &SQL_BIG_ROWS,
                        ARGS(INTEGER(1000), TEXT(filler)), &rows, &err),
                 err, ERR_TOO_LARGE);
    assert_int_equal(trial_thing_count(contract), 0);
}

static void reads_outside_a_transaction_cannot_write(void **state)
{
    struct contract *contract = *state;
    struct err err;
    assert_fails(
        db_run(contract->db, NULL, &SQL_THING_ADD, ARGS(TEXT("a"), INTEGER(1)), NULL, &err), err,
        ERR_INTERNAL);
    assert_int_equal(trial_thing_count(contract), 0);
}

static void a_bad_url_is_refused(void **state)
{
    static const char *const urls[] = {
        "", "oracle:x", "sqlite:", "sqlite::memory:", "sqlite", "postgresql:x"};
    struct contract *contract = *state;
    struct database *database;
    struct err err;
    for (size_t i = 0; i < COUNT(urls); i++)
        assert_fails(database_open(contract->owner, urls[i], &database, &err), err, ERR_BAD_INPUT);
    assert_fails(database_open(contract->owner, "sqlite:/nowhere/at/all.db", &database, &err), err,
                 ERR_UNAVAILABLE);
    assert_fails(database_open(contract->owner, "postgres:host=/nowhere", &database, &err), err,
                 ERR_UNAVAILABLE);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TRIAL_TEST(values_come_back_as_they_went_in),
        TRIAL_TEST(the_largest_numbers_are_exact),
        TRIAL_TEST(null_is_not_empty),
        TRIAL_TEST(large_values_survive),
        TRIAL_TEST(a_field_table_fills_a_struct),
        TRIAL_TEST(nulls_make_members_absent),
        TRIAL_TEST(an_unknown_enum_name_is_an_error),
        TRIAL_TEST(parameters_go_by_their_number),
        TRIAL_TEST(an_optional_filter_takes_null),
        TRIAL_TEST(sums_of_integers_are_integers),
        TRIAL_TEST(bad_arguments_are_refused),
        TRIAL_TEST(every_statement_can_be_prepared),
        TRIAL_TEST(a_variant_serves_its_engine),
        TRIAL_TEST(too_many_rows_are_refused),
        TRIAL_TEST(too_many_bytes_are_refused),
        TRIAL_TEST(reads_outside_a_transaction_cannot_write),
        TRIAL_TEST(a_bad_url_is_refused),
    };
    contract_begin(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
