/* SPDX-License-Identifier: Apache-2.0 */
/* XML: a tree that was read can be written down and comes back the same. */
#include "tests/fuzz/fuzz.h"

#include "codec/xml.h"

#define OUTPUT_MOST (8 << 20)

static const struct xml_limits limits = {1 << 20, 24, 2000, 16};
/* each element becomes <e>, with its name, attributes and text as <n>, <a> and <t> inside */
static const struct xml_limits written = {OUTPUT_MOST, 32, 2000 * 20, 16};

static void tree_write(struct xml_writer *writer, const struct xml *element)
{
    xml_open(writer, "e");
    xml_attribute_add(writer, "name", element->name);
    for (size_t i = 0; i < element->attribute_count; i++) {
        xml_open(writer, "a");
        xml_attribute_add(writer, "name", element->attributes[i].name);
        xml_attribute_add(writer, "value", element->attributes[i].value);
        xml_close(writer);
    }
    xml_leaf(writer, "t", element->text);
    for (const struct xml *child = element->first; child; child = child->next)
        tree_write(writer, child);
    xml_close(writer);
}

static void tree_compare(const struct xml *element, const struct xml *copy)
{
    const struct xml *at = copy->first;
    FUZZ_HOLDS(strcmp(xml_attribute_get(copy, "name"), element->name) == 0);
    FUZZ_HOLDS(strlen(element->text) == element->text_size);
    for (size_t i = 0; i < element->attribute_count; i++, at = at->next) {
        FUZZ_HOLDS(strcmp(xml_attribute_get(at, "name"), element->attributes[i].name) == 0);
        FUZZ_HOLDS(strcmp(xml_attribute_get(at, "value"), element->attributes[i].value) == 0);
    }
    FUZZ_HOLDS(strcmp(at->text, element->text) == 0);
    at = at->next;
    for (const struct xml *child = element->first; child; child = child->next, at = at->next) {
        FUZZ_HOLDS(at && child->parent == element);
        tree_compare(child, at);
    }
    FUZZ_HOLDS(!at);
}

FUZZ_HARNESS(owner, in)
{
    struct xml *tree, *copy;
    struct xml_writer writer;
    struct bytes out;
    struct err err;
    if (!xml_parse(owner, in, &limits, &tree, &err))
        return;
    xml_writer_init(&writer, owner, OUTPUT_MOST);
    tree_write(&writer, tree);
    FUZZ_WORKS(xml_done(&writer, &out, &err), err);
    FUZZ_WORKS(xml_parse(owner, out, &written, &copy, &err), err);
    tree_compare(tree, copy);
}
