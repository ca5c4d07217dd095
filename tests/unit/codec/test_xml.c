/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codec/repeated.h"

#include "codec/sax.h"
#include "codec/xml.h"

static const struct xml_limits limits = {1 << 20, 32, 1000, 8};

static void a_document_becomes_a_tree(void **state)
{
    static const char text[] = "<?xml version='1.0'?><!-- c --><s:Envelope xmlns:s='urn:s' "
                               "xmlns='urn:d'><s:Body a='1' s:b='&lt;2'>one<x/>two<![CDATA[<3>]]>"
                               "</s:Body><y>z</y></s:Envelope>";
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml *root;
    struct err err;
    (void)state;
    assert_works(xml_parse(owner, bytes_text(text), &limits, &root, &err), err);
    assert_string_equal(root->name, "urn:s|Envelope");
    assert_string_equal(root->text, "");
    const struct xml *body = xml_child(root, "urn:s|Body");
    assert_string_equal(body->text, "onetwo<3>");
    assert_int_equal(body->text_size, 9);
    assert_string_equal(xml_attribute_get(body, "a"), "1");
    assert_string_equal(xml_attribute_get(body, "urn:s|b"), "<2");
    assert_null(xml_attribute_get(body, "b"));
    assert_ptr_equal(body->parent, root);
    assert_string_equal(xml_child(root, "urn:d|y")->text, "z");
    assert_ptr_equal(body->next, root->last);
    assert_null(xml_child(xml_child(root, "nothing"), "nothing"));
    assert_null(xml_attribute_get(NULL, "a"));
}

static void what_is_not_one_document_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "x",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "<a b='1' b='2'/>",
        "<a>\xff</a>",
        "<a>&#0;</a>",
        "<a>\x01</a>",
        "<x:a/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
    };
    struct xml *root;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_fails(xml_parse(NULL, bytes_text(bad[i]), &limits, &root, &err), err, ERR_BAD_INPUT);
        assert_memory_equal(err.where, "line ", 5);
    }
    assert_fails(xml_parse(NULL, BYTES_OF("<a/>"), &limits, &root, &err), err, ERR_BAD_INPUT);
}

static void declarations_are_refused_and_a_plain_doctype_is_not(void **state)
{
    static const char *const bad[] = {
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;]><a/>",
        "<!DOCTYPE a SYSTEM 'x' [<!ELEMENT a ANY>]><a/>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>",
        "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'>]><a/>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a>&unknown;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a b='&unknown;'/>",
        "<a>&unknown;</a>",
    };
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml *root;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_fails(xml_parse(NULL, bytes_text(bad[i]), &limits, &root, &err), err, ERR_BAD_INPUT);
    assert_works(xml_parse(owner,
                           bytes_text("<!DOCTYPE a PUBLIC 'p' 'http://127.0.0.1:1/a.dtd'>"
                                      "<a>&amp;</a>"),
                           &limits, &root, &err),
                 err);
    assert_string_equal(root->text, "&");
}

static void the_billion_laughs_are_refused(void **state)
{
    struct buffer text;
    struct xml *root;
    struct err err;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    buffer_init(&text, owner, 1 << 16);
    buffer_text(&text, "<!DOCTYPE l [<!ENTITY l0 'lol'>");
    for (int i = 1; i < 10; i++) {
        buffer_format(&text, "<!ENTITY l%d '", i);
        for (int j = 0; j < 10; j++)
            buffer_format(&text, "&l%d;", i - 1);
        buffer_text(&text, "'>");
    }
    buffer_text(&text, "]><l>&l9;</l>");
    assert_fails(xml_parse(NULL, bytes_text(buffer_string(&text)), &limits, &root, &err), err,
                 ERR_BAD_INPUT);
}

static void each_limit_holds(void **state)
{
    static const struct xml_limits tight = {100000, 3, 5, 2};
    static const struct {
        const char *before, *part;
        size_t fits, fails;
        const char *after;
    } cases[] = {
        {"<a>", "<b/>", 4, 5, "</a>"},
        {"<a>", "<b>", 0, 3, ""},
        {"<a b='1' ", "c='2' ", 1, 0, "/>"},
        {"<a>", "x", 99992, 99994, "</a>"},
    };
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml *root;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text =
            repeated(owner, cases[i].before, cases[i].part, cases[i].fails, cases[i].after);
        if (cases[i].fails > 0)
            assert_fails(xml_parse(owner, bytes_text(text), &tight, &root, &err), err,
                         ERR_TOO_LARGE);
        text = repeated(owner, cases[i].before, cases[i].part, cases[i].fits, cases[i].after);
        if (cases[i].fits > 0)
            assert_works(xml_parse(owner, bytes_text(text), &tight, &root, &err), err);
    }
    assert_fails(xml_parse(owner, bytes_text("<a b='1' c='2' d='3'/>"), &tight, &root, &err), err,
                 ERR_TOO_LARGE);
}

static void long_names_and_endless_tags_are_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml *root;
    struct err err;
    (void)state;
    char *name = repeated(owner, "<a xmlns='", "u", XML_NAME_MAX, "'/>");
    assert_fails(xml_parse(owner, bytes_text(name), &limits, &root, &err), err, ERR_TOO_LARGE);
    char *tag = repeated(owner, "<a b='", "u", 100000, "");
    assert_fails(xml_parse(owner, bytes_text(tag), &limits, &root, &err), err, ERR_TOO_LARGE);
    assert_non_null(strstr(err.text, "too long"));
    char *comment = repeated(owner, "<!--", "u", 100000, "--><a/>");
    assert_fails(xml_parse(owner, bytes_text(comment), &limits, &root, &err), err, ERR_TOO_LARGE);
    char *prefixes = repeated(owner, "<a>", "<b xmlns:c='d' xmlns:e='f'/>", 501, "</a>");
    assert_fails(xml_parse(owner, bytes_text(prefixes), &limits, &root, &err), err, ERR_TOO_LARGE);
    char *longish = repeated(owner, "<a b='", "u", XML_TOKEN_MAX / 2 - 10, "'/>");
    assert_works(xml_parse(owner, bytes_text(longish), &limits, &root, &err), err);
}

static void text_in_many_pieces_is_joined_in_linear_time(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml_limits wide = {16 << 20, 4, 400000, 1};
    struct xml *root;
    struct err err;
    (void)state;
    char *text = repeated(owner, "<a>", "&amp;\n<b/>", 300000, "</a>");
    assert_works(xml_parse(owner, bytes_text(text), &wide, &root, &err), err);
    assert_int_equal(root->text_size, 600000);
}

static void a_hundred_thousand_nested_elements_are_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml *root;
    struct err err;
    (void)state;
    char *text = repeated(owner, "", "<a>", 100000, "");
    assert_fails(xml_parse(owner, bytes_text(text), &limits, &root, &err), err, ERR_TOO_LARGE);
}

static void utf_16_is_converted(void **state)
{
    static const uint8_t text[] = {0xFE, 0xFF, 0,   '<', 0,   'a', 0,   '>', 0x26,
                                   0x3A, 0,    '<', 0,   '/', 0,   'a', 0,   '>'};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml *root;
    struct err err;
    (void)state;
    assert_works(xml_parse(owner, BYTES_OF(text), &limits, &root, &err), err);
    assert_string_equal(root->text, "\xe2\x98\xba");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_becomes_a_tree),
        cmocka_unit_test(what_is_not_one_document_is_refused),
        cmocka_unit_test(declarations_are_refused_and_a_plain_doctype_is_not),
        cmocka_unit_test(the_billion_laughs_are_refused),
        cmocka_unit_test(each_limit_holds),
        cmocka_unit_test(long_names_and_endless_tags_are_refused),
        cmocka_unit_test(text_in_many_pieces_is_joined_in_linear_time),
        cmocka_unit_test(a_hundred_thousand_nested_elements_are_refused),
        cmocka_unit_test(utf_16_is_converted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
