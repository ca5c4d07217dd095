/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codec/repeated.h"

#include "codec/plist.h"

#define LIMIT (1 << 20)

static const struct plist_limits limits = {LIMIT, 16, 1000};
static const char apple_doctype[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                                    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";

/* A dict {v: value} as Apple would send it. */
static char *dict_around(void *owner, const char *value)
{
    return mem_format(owner, "%s<plist version=\"1.0\"><dict><key>v</key>%s</dict></plist>",
                      apple_doctype, value);
}

static void every_type_is_read(void **state)
{
    static const char text[] =
        "<plist version=\"1.0\">\n<dict>\n\t<key>t</key><string>a &lt; b \xc3\xa9</string>\n"
        "<key>i</key><integer> -42 </integer><key>r</key><real>0.5</real><key>y</key><true/>"
        "<key>n</key><false></false><key>d</key><date>2024-02-29T12:00:00Z</date>"
        "<key>b</key><data>\n\tZm9v\n\tYmFy\n\t</data><key>a</key><array><string/><dict/>"
        "<array/></array><key/><data/></dict></plist>\n";
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct plist *root;
    struct err err;
    int64_t integer;
    bool boolean;
    (void)state;
    assert_works(plist_parse(owner, bytes_text(text), &limits, &root, &err), err);
    assert_int_equal(root->count, 9);
    assert_string_equal(plist_text(root, "t"), "a < b \xc3\xa9");
    assert_true(plist_integer(root, "i", &integer) && integer == -42);
    assert_true(plist_get(root, "r")->real == 0.5);
    assert_true(plist_boolean(root, "y", &boolean) && boolean);
    assert_true(plist_boolean(root, "n", &boolean) && !boolean);
    assert_int_equal(plist_get(root, "d")->integer, 1709208000);
    assert_true(bytes_equal(plist_get(root, "b")->data, bytes_text("foobar")));
    assert_int_equal(plist_get(root, "a")->count, 3);
    assert_string_equal(plist_get(root, "a")->first->text, "");
    assert_int_equal(plist_get(root, "")->data.size, 0);
    assert_null(plist_get(root, "x"));
    assert_null(plist_text(root, "i"));
    assert_false(plist_integer(root, "t", &integer));
    assert_false(plist_boolean(root, "i", &boolean));
    assert_null(plist_get(plist_get(root, "a"), "t"));
    assert_null(plist_get(NULL, "t"));
}

static void values_in_their_forms_are_taken(void **state)
{
    static const struct {
        const char *value;
        int64_t integer;
    } good[] = {
        {"<integer>0</integer>", 0},
        {"<integer>+7</integer>", 7},
        {"<integer>-0</integer>", 0},
        {"<integer>0x1F</integer>", 31},
        {"<integer>-0x10</integer>", -16},
        {"<integer>007</integer>", 7},
        {"<integer>\n9223372036854775807\n</integer>", INT64_MAX},
        {"<integer>-9223372036854775808</integer>", INT64_MIN},
        {"<integer>0x7fffffffffffffff</integer>", INT64_MAX},
        {"<date>0001-01-01T00:00:00Z</date>", -62135596800},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct plist *root;
        struct err err;
        assert_works(
            plist_parse(owner, bytes_text(dict_around(owner, good[i].value)), &limits, &root, &err),
            err);
        assert_int_equal(root->first->integer, good[i].integer);
    }
}

static void malformed_values_are_refused(void **state)
{
    static const char *const bad[] = {
        "<integer/>",
        "<integer> </integer>",
        "<integer>1 2</integer>",
        "<integer>1.5</integer>",
        "<integer>0x</integer>",
        "<integer>--1</integer>",
        "<integer>-</integer>",
        "<integer>a</integer>",
        "<integer>0xg</integer>",
        "<integer>9223372036854775808</integer>",
        "<integer>-9223372036854775809</integer>",
        "<integer>0x8000000000000000</integer>",
        "<integer>1<!-- -->\xc2\xa0</integer>",
        "<real/>",
        "<real>nan</real>",
        "<real>inf</real>",
        "<real>0x1p3</real>",
        "<real>1e999</real>",
        "<real>1e</real>",
        "<real>1,5</real>",
        "<true>x</true>",
        "<true> </true>",
        "<date/>",
        "<date>2024-02-30T00:00:00Z</date>",
        "<date>2024-02-01</date>",
        "<data>Zg</data>",
        "<data>*</data>",
        "<string><b/></string>",
        "<string a='1'/>",
        "<dict a='1'/>",
        "<uid>1</uid>",
        "<set/>",
        "<plist/>",
        "<String/>",
        "<string xmlns='urn:x'/>",
        "<dict><key>a</key></dict>",
        "<dict><string/></dict>",
        "<dict><key>a</key><key>b</key><true/></dict>",
        "<dict><key>a</key><true/><true/></dict>",
        "<dict><key>a</key><true/><key>a</key><true/></dict>",
        "<dict><key><b/></key><true/></dict>",
        "<dict>x</dict>",
        "<array>x</array>",
        "<array><key>a</key></array>",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP(mem_free_at) char *text = dict_around(NULL, bad[i]);
        struct plist *root;
        struct err err;
        assert_fails(plist_parse(NULL, bytes_text(text), &limits, &root, &err), err, ERR_BAD_INPUT);
    }
}

static void what_is_not_one_property_list_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "b",
        "bplist",
        "bplist15",
        "{}",
        "<dict/>",
        "<plist version=\"1.0\"/>",
        "<plist version=\"2.0\"><dict/></plist>",
        "<plist version=\"1.0\" a=\"b\"><dict/></plist>",
        "<plist><dict/><dict/></plist>",
        "<plist><key>a</key></plist>",
        "<plist>x<dict/></plist>",
        "<plist><dict/></plist><plist/>",
        "<plist><dict/></plist>x",
        "<plist><dict></plist>",
        "<!DOCTYPE plist [<!ENTITY a 'b'>]><plist><string>&a;</string></plist>",
        "<!DOCTYPE plist SYSTEM 'x'><plist><string>&a;</string></plist>",
    };
    struct plist *root;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(plist_parse(NULL, bytes_text(bad[i]), &limits, &root, &err), err,
                     ERR_BAD_INPUT);
}

static void limits_count_values_and_containers(void **state)
{
    static const struct plist_limits tight = {1000, 3, 6};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct plist *root;
    struct err err;
    (void)state;
    char *text = repeated(owner, "<plist><array>", "<true/>", 5, "</array></plist>");
    assert_works(plist_parse(owner, bytes_text(text), &tight, &root, &err), err);
    text = repeated(owner, "<plist><array>", "<true/>", 6, "</array></plist>");
    assert_fails(plist_parse(owner, bytes_text(text), &tight, &root, &err), err, ERR_TOO_LARGE);
    text = repeated(owner, "<plist>", "<array>", 3, "<true/></array></array></array></plist>");
    assert_works(plist_parse(owner, bytes_text(text), &tight, &root, &err), err);
    text = repeated(owner, "<plist>", "<array>", 4, "</array></array></array></array></plist>");
    assert_fails(plist_parse(owner, bytes_text(text), &tight, &root, &err), err, ERR_TOO_LARGE);
    text = repeated(owner, "<plist><string>", "x", 1000, "</string></plist>");
    assert_fails(plist_parse(owner, bytes_text(text), &tight, &root, &err), err, ERR_TOO_LARGE);
}

static void a_doubled_key_is_found_among_many(void **state)
{
    struct plist_limits wide = {16 << 20, 4, 200000};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct buffer text;
    struct plist *root;
    struct err err;
    (void)state;
    buffer_init(&text, owner, 16 << 20);
    buffer_text(&text, "<plist><dict>");
    for (int i = 0; i < 100000; i++)
        buffer_format(&text, "<key>k%d</key><true/>", i);
    size_t size = text.size;
    buffer_text(&text, "</dict></plist>");
    assert_works(plist_parse(owner, (struct bytes){text.data, text.size}, &wide, &root, &err), err);
    assert_int_equal(root->count, 100000);
    text.size = size;
    buffer_text(&text, "<key>k500</key><true/></dict></plist>");
    assert_fails(plist_parse(owner, (struct bytes){text.data, text.size}, &wide, &root, &err), err,
                 ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "k500"));
}

static void a_hundred_thousand_nested_arrays_are_refused(void **state)
{
    struct plist_limits deep = {16 << 20, 1 << 20, 1 << 20};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct plist *root;
    struct err err;
    (void)state;
    char *text = repeated(owner, "<plist>", "<array>", 100000, "");
    assert_fails(plist_parse(owner, bytes_text(text), &limits, &root, &err), err, ERR_TOO_LARGE);
    assert_fails(plist_parse(owner, bytes_text(text), &deep, &root, &err), err, ERR_TOO_LARGE);
}

static void twenty_megabytes_are_refused_before_they_are_read(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct plist *root;
    struct err err;
    (void)state;
    struct bytes huge = {(const uint8_t *)mem_array(owner, char, 20 << 20), 20 << 20};
    assert_fails(plist_parse(owner, huge, &limits, &root, &err), err, ERR_TOO_LARGE);
}

static void setting_a_key_again_replaces_it(void **state)
{
    CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
    int64_t integer;
    (void)state;
    plist_set_text(dict, "a", "1");
    plist_set_text(dict, "b", "2");
    plist_set_text(dict, "a", plist_text(dict, "a"));
    assert_int_equal(dict->count, 2);
    assert_string_equal(plist_text(dict, "a"), "1");
    plist_set_integer(dict, "b", 3);
    assert_int_equal(dict->count, 2);
    assert_true(plist_integer(dict, "b", &integer) && integer == 3);
    assert_string_equal(dict->last->key, "b");
}

static void a_copy_is_deep(void **state)
{
    CLEANUP(mem_free_at) struct plist *copy = plist_new_dict(NULL);
    (void)state;
    {
        CLEANUP(mem_free_at) struct plist *dict = plist_new_dict(NULL);
        struct plist *array = plist_set_array(dict, "array");
        plist_set_text(plist_set_dict(array, NULL), "inner", "text");
        plist_set_data(array, NULL, bytes_text("data"));
        plist_set_date(array, NULL, 5);
        plist_set_real(array, NULL, 1.5);
        plist_set_copy(copy, "x", dict);
        plist_set_copy(copy, "x", plist_get(copy, "x")); /* out of what it replaces */
    }
    const struct plist *array = plist_get(plist_get(copy, "x"), "array");
    assert_int_equal(copy->count, 1);
    assert_int_equal(array->count, 4);
    assert_string_equal(plist_text(array->first, "inner"), "text");
    assert_true(bytes_equal(array->first->next->data, bytes_text("data")));
    assert_true(array->last->real == 1.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(values_in_their_forms_are_taken),
        cmocka_unit_test(malformed_values_are_refused),
        cmocka_unit_test(what_is_not_one_property_list_is_refused),
        cmocka_unit_test(limits_count_values_and_containers),
        cmocka_unit_test(a_doubled_key_is_found_among_many),
        cmocka_unit_test(a_hundred_thousand_nested_arrays_are_refused),
        cmocka_unit_test(twenty_megabytes_are_refused_before_they_are_read),
        cmocka_unit_test(setting_a_key_again_replaces_it),
        cmocka_unit_test(a_copy_is_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
