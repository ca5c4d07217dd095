/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/xml.h"

#define LIMIT 4096

static void elements_attributes_and_texts_are_written(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml_writer writer;
    struct bytes out;
    struct err err;
    (void)state;
    xml_writer_init(&writer, owner, LIMIT);
    xml_open(&writer, "s:Envelope");
    xml_attribute_add(&writer, "xmlns:s", "urn:s");
    xml_attribute_add(&writer, "a", "<\"&'>\n");
    xml_leaf(&writer, "empty", "");
    xml_leaf(&writer, "b", "1 < 2 & \"3\"\r");
    xml_text_add(&writer, "x");
    xml_close(&writer);
    assert_works(xml_done(&writer, &out, &err), err);
    assert_string_equal((const char *)out.data,
                        "<s:Envelope xmlns:s=\"urn:s\" a=\"&lt;&quot;&amp;'&gt;&#10;\"><empty/>"
                        "<b>1 &lt; 2 &amp; \"3\"&#13;</b>x</s:Envelope>");
}

static void what_is_written_is_read_back(void **state)
{
    static const char hostile[] = "]]> <![CDATA[ &amp; \r\n\t \"'\xf0\x9f\x98\x80 <!--";
    static const struct xml_limits limits = {LIMIT, 4, 8, 4};
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml_writer writer;
    struct bytes out;
    struct xml *root;
    struct err err;
    (void)state;
    xml_writer_init(&writer, owner, LIMIT);
    xml_open(&writer, "a");
    xml_attribute_add(&writer, "b", hostile);
    xml_text_add(&writer, hostile);
    xml_close(&writer);
    assert_works(xml_done(&writer, &out, &err), err);
    assert_works(xml_parse(owner, out, &limits, &root, &err), err);
    assert_string_equal(root->text, hostile);
    assert_string_equal(xml_attribute_get(root, "b"), hostile);
}

static void what_xml_cannot_carry_is_an_error(void **state)
{
    static const char *const bad[] = {"\x01",         "a\x1f",        "\xff",
                                      "\xef\xbf\xbf", "\xef\xbf\xbe", "\xed\xa0\x80"};
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct xml_writer writer;
        struct bytes out;
        struct err err;
        xml_writer_init(&writer, owner, LIMIT);
        xml_leaf(&writer, "a", bad[i]);
        assert_fails(xml_done(&writer, &out, &err), err, ERR_BAD_INPUT);
    }
}

static void the_limit_of_the_output_holds(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct xml_writer writer;
    struct bytes out;
    struct err err;
    (void)state;
    xml_writer_init(&writer, owner, 16);
    xml_leaf(&writer, "a", "0123456789");
    assert_fails(xml_done(&writer, &out, &err), err, ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_attributes_and_texts_are_written),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_xml_cannot_carry_is_an_error),
        cmocka_unit_test(the_limit_of_the_output_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
