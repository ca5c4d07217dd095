/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/plist.h"

struct message {
    char *udid;
    int64_t count;
    bool is_final;
    double level;
    struct bytes token;
    int64_t at;
    int kind;
    char *details;
};

enum { KIND_IDLE, KIND_NOT_NOW };
static const char *const kinds[] = {"Idle", "NotNow", NULL};

static const struct field rows[] = {
    TEXT_AS("UDID", struct message, udid, FIELD_REQUIRED, .highest = 8),
    INTEGER_FIELD(struct message, count, 0, .lowest = 1, .highest = 9),
    BOOLEAN_FIELD(struct message, is_final, 0),
    REAL_FIELD(struct message, level, 0),
    BYTES_FIELD(struct message, token, 0, .highest = 4),
    TIME_FIELD(struct message, at, 0),
    ENUM_FIELD(struct message, kind, 0, kinds),
    RAW_FIELD(struct message, details, 0),
};

static void a_dict_fills_a_struct(void **state)
{
    CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
    struct message message = {0};
    uint64_t present = 0;
    struct err err;
    (void)state;
    plist_set_text(dict, "UDID", "abc");
    plist_set_integer(dict, "count", 9);
    plist_set_boolean(dict, "is_final", true);
    plist_set_integer(dict, "level", 2);
    plist_set_data(dict, "token", bytes_text("abcd"));
    plist_set_date(dict, "at", 86400);
    plist_set_text(dict, "kind", "NotNow");
    struct plist *details = plist_set_dict(dict, "details");
    plist_set_real(details, "r", 0.1);
    plist_set_data(plist_set_array(details, "a"), NULL, bytes_text("foo"));
    plist_set_date(details, "d", 0);
    plist_set_boolean(details, "b", false);
    plist_set_text(dict, "NewInThisRelease", "ignored");
    assert_works(plist_bind(dict, dict, FIELDS(rows), &message, &present, &err), err);
    assert_string_equal(message.udid, "abc");
    assert_int_equal(message.count, 9);
    assert_true(message.is_final);
    assert_true(message.level == 2.0);
    assert_true(bytes_equal(message.token, bytes_text("abcd")));
    assert_int_equal(message.at, 86400);
    assert_int_equal(message.kind, KIND_NOT_NOW);
    assert_string_equal(message.details,
                        "{\"r\":0.1,\"a\":[\"Zm9v\"],\"d\":\"1970-01-01T00:00:00Z\",\"b\":false}");
    assert_int_equal(present, 0xFF);
}

static void absent_keys_leave_the_struct_alone(void **state)
{
    CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
    struct message message = {.count = 5};
    uint64_t present = 0;
    struct err err;
    (void)state;
    plist_set_text(dict, "UDID", "abc");
    assert_works(plist_bind(dict, dict, FIELDS(rows), &message, &present, &err), err);
    assert_int_equal(message.count, 5);
    assert_int_equal(present, 1);
    assert_works(plist_bind(dict, dict, FIELDS(rows), &message, NULL, &err), err);
}

static void a_bad_value_names_its_key_and_changes_nothing(void **state)
{
    static const char *const keys[] = {"count", "is_final", "level", "token", "at", "kind"};
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
        struct message message = {.udid = NULL};
        uint64_t present = 77;
        struct err err;
        plist_set_text(dict, "UDID", "abc");
        plist_set_text(dict, keys[i], "bad");
        assert_fails(plist_bind(dict, dict, FIELDS(rows), &message, &present, &err), err,
                     ERR_BAD_INPUT);
        assert_int_equal(err.where[0], '/');
        assert_string_equal(err.where + 1, keys[i]);
        assert_null(message.udid);
        assert_int_equal(present, 77);
    }
}

static void rules_of_the_rows_hold(void **state)
{
    CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
    CLEANUP(mem_free_at) struct plist *array = plist_new_array(NULL);
    struct message message = {0};
    struct err err;
    (void)state;
    assert_fails(plist_bind(dict, dict, FIELDS(rows), &message, NULL, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/UDID");
    plist_set_text(dict, "UDID", "123456789");
    assert_fails(plist_bind(dict, dict, FIELDS(rows), &message, NULL, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/UDID");
    plist_set_text(dict, "UDID", "12345678");
    plist_set_integer(dict, "count", 10);
    assert_fails(plist_bind(dict, dict, FIELDS(rows), &message, NULL, &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.where, "/count");
    assert_fails(plist_bind(array, array, FIELDS(rows), &message, NULL, &err), err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dict_fills_a_struct),
        cmocka_unit_test(absent_keys_leave_the_struct_alone),
        cmocka_unit_test(a_bad_value_names_its_key_and_changes_nothing),
        cmocka_unit_test(rules_of_the_rows_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
