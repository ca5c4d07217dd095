/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <math.h>

#include "codec/plist.h"

#define LIMIT (1 << 20)

static const struct plist_limits limits = {LIMIT, 600, 10000};

static void the_layout_is_apples(void **state)
{
    static const char expected[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
        "<plist version=\"1.0\">\n"
        "<dict>\n"
        "\t<key>text &lt;</key>\n"
        "\t<string>a &amp; b</string>\n"
        "\t<key>list</key>\n"
        "\t<array>\n"
        "\t\t<integer>-3</integer>\n"
        "\t\t<true/>\n"
        "\t\t<real>0.1</real>\n"
        "\t\t<date>2024-02-29T12:00:00Z</date>\n"
        "\t\t<array/>\n"
        "\t\t<dict/>\n"
        "\t</array>\n"
        "\t<key>data</key>\n"
        "\t<data>\n"
        "\tAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        "\tAAAAAAAAAAAAAAAAAAAAAAAA\n"
        "\t</data>\n"
        "</dict>\n"
        "</plist>\n";
    CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
    uint8_t zeros[69] = {0};
    struct bytes out;
    struct err err;
    (void)state;
    plist_set_text(dict, "text <", "a & b");
    struct plist *list = plist_set_array(dict, "list");
    plist_set_integer(list, NULL, -3);
    plist_set_boolean(list, NULL, true);
    plist_set_real(list, NULL, 0.1);
    plist_set_date(list, NULL, 1709208000);
    (void)plist_set_array(list, NULL);
    (void)plist_set_dict(list, NULL);
    plist_set_data(dict, "data", BYTES_OF(zeros));
    assert_works(plist_render(dict, dict, LIMIT, &out, &err), err);
    assert_string_equal((const char *)out.data, expected);
}

static void what_is_rendered_is_read_back(void **state)
{
    static const double reals[] = {0, 1, -1.5, 0.1, 1e300, 5e-324, 1.0 / 3, 123456789012345678.0};
    static const char hostile[] = "]]>\r\n\t<&\"'\xf0\x9f\x98\x80 ";
    CLEANUP(mem_free_at) struct plist *array = plist_new_array(NULL);
    struct plist *back;
    struct bytes out, again;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(reals); i++)
        plist_set_real(array, NULL, reals[i]);
    plist_set_text(array, NULL, hostile);
    plist_set_integer(array, NULL, INT64_MIN);
    assert_works(plist_render(array, array, LIMIT, &out, &err), err);
    assert_works(plist_parse(array, out, &limits, &back, &err), err);
    const struct plist *value = back->first;
    for (size_t i = 0; i < COUNT(reals); i++, value = value->next)
        assert_true(value->real == reals[i]);
    assert_string_equal(value->text, hostile);
    assert_int_equal(value->next->integer, INT64_MIN);
    assert_works(plist_render(array, back, LIMIT, &again, &err), err);
    assert_true(bytes_equal(out, again));
}

static void what_xml_cannot_carry_is_an_error(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct plist *trees[6];
    struct bytes out = NO_BYTES;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++)
        trees[i] = plist_new_dict(owner);
    plist_set_text(trees[0], "a", "\x02");
    plist_set_text(trees[1], "\xff", "a");
    plist_set_real(trees[2], "a", NAN);
    plist_set_real(trees[3], "a", INFINITY);
    plist_set_date(trees[4], "a", INT64_MAX);
    plist_set_text(plist_set_dict(trees[5], "a"), "b", "\xed\xa0\x80");
    for (size_t i = 0; i < COUNT(trees); i++)
        assert_fails(plist_render(owner, trees[i], LIMIT, &out, &err), err, ERR_BAD_INPUT);
    assert_null(out.data);
}

static void the_limit_and_the_depth_hold(void **state)
{
    CLEANUP(mem_free_at) struct plist *root = plist_new_array(NULL);
    CLEANUP(mem_free_at) struct plist *flat = plist_new_array(NULL);
    struct plist *inner = root;
    struct bytes out;
    struct err err;
    (void)state;
    for (int i = 0; i < 1000; i++)
        inner = plist_set_array(inner, NULL);
    assert_fails(plist_render(root, root, 16 << 20, &out, &err), err, ERR_TOO_LARGE);
    for (int i = 0; i < 1000; i++)
        plist_set_text(flat, NULL, "0123456789");
    assert_fails(plist_render(flat, flat, 1000, &out, &err), err, ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_apples),
        cmocka_unit_test(what_is_rendered_is_read_back),
        cmocka_unit_test(what_xml_cannot_carry_is_an_error),
        cmocka_unit_test(the_limit_and_the_depth_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
