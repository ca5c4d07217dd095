/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/json.h"

struct thing {
    char *id, *name, *password, *options;
    int64_t count, at;
    bool enabled;
    double level;
    struct bytes token;
    int mode;
};

static const char *const modes[] = {"slow", "fast", NULL};
static const struct field rows[] = {
    TEXT_FIELD(struct thing, id, FIELD_READ_ONLY),
    TEXT_FIELD(struct thing, name, FIELD_REQUIRED, .lowest = 1, .highest = 10),
    TEXT_FIELD(struct thing, password, FIELD_SECRET),
    RAW_FIELD(struct thing, options, 0),
    INTEGER_FIELD(struct thing, count, 0, .lowest = 0, .highest = 100),
    TIME_FIELD(struct thing, at, 0),
    BOOLEAN_FIELD(struct thing, enabled, 0),
    REAL_FIELD(struct thing, level, 0),
    BYTES_FIELD(struct thing, token, 0),
    ENUM_FIELD(struct thing, mode, 0, modes),
};

static bool bind(void *owner, const char *text, struct thing *thing, uint64_t *present,
                 struct err *err)
{
    static const struct json_limits limits = {4096, 8, 100};
    CLEANUP(json_decref_at) json_t *json = NULL;
    if (!json_parse(bytes_text(text), &limits, &json, err))
        fail_msg("%s: %s", text, err->text);
    return json_bind(owner, json, FIELDS(rows), thing, present, err);
}

static void an_object_fills_a_struct(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct thing thing = {0};
    uint64_t present = 0;
    struct err err;
    (void)state;
    assert_works(bind(owner,
                      "{\"name\":\"n\",\"password\":\"p\",\"options\":{\"b\":[1],\"a\":null},"
                      "\"count\":100,\"at\":\"1970-01-02T00:00:00Z\",\"enabled\":true,"
                      "\"level\":1,\"token\":\"Zm9v\",\"mode\":\"fast\"}",
                      &thing, &present, &err),
                 err);
    assert_string_equal(thing.name, "n");
    assert_string_equal(thing.password, "p");
    assert_string_equal(thing.options, "{\"b\":[1],\"a\":null}");
    assert_int_equal(thing.count, 100);
    assert_int_equal(thing.at, 86400);
    assert_true(thing.enabled);
    assert_true(thing.level == 1.0);
    assert_true(bytes_equal(thing.token, bytes_text("foo")));
    assert_int_equal(thing.mode, 1);
    assert_int_equal(present, 0x3FE);
}

static void null_takes_away_what_can_be_absent(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    char old[] = "old";
    struct thing thing = {.password = old, .options = old, .at = 5, .token = BYTES_OF(old)};
    uint64_t present = 0;
    struct err err;
    (void)state;
    assert_works(bind(owner,
                      "{\"name\":\"n\",\"password\":null,\"options\":null,\"at\":null,"
                      "\"token\":null}",
                      &thing, &present, &err),
                 err);
    assert_null(thing.password);
    assert_null(thing.options);
    assert_null(thing.token.data);
    assert_int_equal(thing.at, 0);
    assert_int_equal(present, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8);
}

static void what_does_not_fit_is_refused_with_its_pointer(void **state)
{
    static const struct {
        const char *text, *where;
    } bad[] = {
        {"{}", "/name"},
        {"{\"name\":null}", "/name"},
        {"{\"name\":\"\"}", "/name"},
        {"{\"name\":\"12345678901\"}", "/name"},
        {"{\"name\":1}", "/name"},
        {"{\"name\":\"n\",\"id\":\"x\"}", "/id"},
        {"{\"name\":\"n\",\"other\":1}", "/other"},
        {"{\"name\":\"n\",\"a/b~c\":1}", "/a~1b~0c"},
        {"{\"name\":\"n\",\"count\":101}", "/count"},
        {"{\"name\":\"n\",\"count\":1.0}", "/count"},
        {"{\"name\":\"n\",\"count\":\"1\"}", "/count"},
        {"{\"name\":\"n\",\"count\":null}", "/count"},
        {"{\"name\":\"n\",\"at\":\"yesterday\"}", "/at"},
        {"{\"name\":\"n\",\"at\":5}", "/at"},
        {"{\"name\":\"n\",\"enabled\":1}", "/enabled"},
        {"{\"name\":\"n\",\"level\":\"1\"}", "/level"},
        {"{\"name\":\"n\",\"token\":\"Zg\"}", "/token"},
        {"{\"name\":\"n\",\"mode\":\"medium\"}", "/mode"},
        {"{\"name\":\"n\",\"mode\":1}", "/mode"},
        {"[]", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct thing thing = {.count = 7};
        uint64_t present = 77;
        struct err err;
        assert_fails(bind(NULL, bad[i].text, &thing, &present, &err), err, ERR_BAD_INPUT);
        assert_string_equal(err.where, bad[i].where);
        assert_null(thing.name);
        assert_int_equal(thing.count, 7);
        assert_int_equal(present, 77);
    }
}

static void a_struct_becomes_an_object_without_secrets(void **state)
{
    char id[] = "i", options[] = "[1, 2]", password[] = "hidden";
    struct thing thing = {.id = id,
                          .options = options,
                          .password = password,
                          .count = -1,
                          .at = 86400,
                          .level = 0.1,
                          .token = bytes_text("foo"),
                          .mode = 1};
    (void)state;
    CLEANUP(json_decref_at) json_t *json = json_from(FIELDS(rows), &thing);
    CLEANUP(mem_free_at) char *text = json_text(NULL, json);
    assert_string_equal(text, "{\"id\":\"i\",\"name\":null,\"options\":[1,2],\"count\":-1,"
                              "\"at\":\"1970-01-02T00:00:00Z\",\"enabled\":false,\"level\":0.1,"
                              "\"token\":\"Zm9v\",\"mode\":\"fast\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_fills_a_struct),
        cmocka_unit_test(null_takes_away_what_can_be_absent),
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_pointer),
        cmocka_unit_test(a_struct_becomes_an_object_without_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
