/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "tests/test.h"

static void an_error_has_a_kind_and_a_sentence(void **state)
{
    struct err err;
    (void)state;
    assert_false(err_set(&err, ERR_NOT_FOUND, "no %s", "device"));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_string_equal(err.text, "no device");
    assert_string_equal(err.where, "");
    assert_null(err.remedy);
    assert_string_equal(err_kind_name(err.kind), "not-found");
}

static void context_and_place_grow_to_the_front(void **state)
{
    struct err err;
    (void)state;
    assert_false(err_at(&err, ERR_BAD_INPUT, "/0/value", "too small"));
    assert_false(err_context(&err, "reading %d", 1));
    assert_false(err_under(&err, "/settings"));
    assert_string_equal(err.text, "reading 1: too small");
    assert_string_equal(err.where, "/settings/0/value");
    assert_int_equal(err.kind, ERR_BAD_INPUT);
}

static void long_sentences_are_cut(void **state)
{
    char text[1000];
    struct err err;
    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_false(err_at(&err, ERR_INTERNAL, text, "%s", text));
    assert_false(err_context(&err, "%s", text));
    assert_false(err_under(&err, text));
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(strlen(err.where), sizeof(err.where) - 1);
}

static void a_cut_sentence_ends_with_a_whole_character(void **state)
{
    char text[1000];
    struct err err;
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4); /* the euro sign */
        assert_false(err_set(&err, ERR_INTERNAL, "%s", text));
        assert_true(text_is_utf8(bytes_text(err.text)));
        assert_false(err_context(&err, "cannot"));
        assert_true(text_is_utf8(bytes_text(err.text)));
        assert_true(strlen(err.text) + 4 > sizeof(err.text) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_kind_and_a_sentence),
        cmocka_unit_test(context_and_place_grow_to_the_front),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(a_cut_sentence_ends_with_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
