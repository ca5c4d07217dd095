/* SPDX-License-Identifier: Apache-2.0 */
/* XML output: every text and attribute goes through the one escape here. */
#include "base/mem.h"
#include "base/text.h"
#include "codec/escape.h"
#include "codec/xml.h"

/* What stands for a byte; NULL when it stands for itself. CR, and white space in attributes,
 * would be normalised away by the reader (XML 1.0 2.11, 3.3.3). */
static const char *escape_of(char byte, bool in_attribute)
{
    switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '\r': return "&#13;";
    case '"': return in_attribute ? "&quot;" : NULL;
    case '\t': return in_attribute ? "&#9;" : NULL;
    case '\n': return in_attribute ? "&#10;" : NULL;
    default: return NULL;
    }
}

static bool is_carried(const uint8_t *at)
{
    if (at[0] < 0x20)
        return at[0] == '\t' || at[0] == '\n' || at[0] == '\r';
    /* U+FFFE and U+FFFF */
    return !(at[0] == 0xEF && at[1] == 0xBF && (at[2] == 0xBE || at[2] == 0xBF));
}

bool xml_escape(struct buffer *out, const char *text, bool in_attribute)
{
    const char *plain = text; /* bytes from here on need no escape */
    if (!text_is_utf8(bytes_text(text)))
        return false;
    for (const char *at = text; *at; at++) {
        const char *escape = escape_of(*at, in_attribute);
        if (!is_carried((const uint8_t *)at))
            return false;
        if (!escape)
            continue;
        buffer_add(out, (struct bytes){(const uint8_t *)plain, (size_t)(at - plain)});
        buffer_text(out, escape);
        plain = at + 1;
    }
    buffer_text(out, plain);
    return true;
}

void xml_writer_init(struct xml_writer *writer, void *owner, size_t limit)
{
    *writer = (struct xml_writer){.depth = 0};
    buffer_init(&writer->out, owner, limit);
}

void xml_doctype_html(struct xml_writer *writer)
{
    buffer_text(&writer->out, "<!DOCTYPE html>\n");
}

static void tag_end(struct xml_writer *writer)
{
    if (writer->in_tag)
        buffer_byte(&writer->out, '>');
    writer->in_tag = false;
}

void xml_open(struct xml_writer *writer, const char *name)
{
    if (writer->depth == COUNT(writer->open))
        bug("XML nested too deep at %s", name);
    tag_end(writer);
    buffer_byte(&writer->out, '<');
    buffer_text(&writer->out, name);
    writer->open[writer->depth++] = name;
    writer->in_tag = true;
}

void xml_attribute_add(struct xml_writer *writer, const char *name, const char *value)
{
    if (!writer->in_tag)
        bug("XML attribute %s behind content", name);
    buffer_byte(&writer->out, ' ');
    buffer_text(&writer->out, name);
    buffer_text(&writer->out, "=\"");
    if (!xml_escape(&writer->out, value, true))
        writer->is_unfit = true;
    buffer_byte(&writer->out, '"');
}

void xml_text_add(struct xml_writer *writer, const char *text)
{
    if (writer->depth == 0)
        bug("XML text outside of an element");
    tag_end(writer);
    if (!xml_escape(&writer->out, text, false))
        writer->is_unfit = true;
}

void xml_close(struct xml_writer *writer)
{
    if (writer->depth == 0)
        bug("XML element closed that was not open");
    const char *name = writer->open[--writer->depth];
    if (writer->in_tag) {
        buffer_text(&writer->out, "/>");
        writer->in_tag = false;
        return;
    }
    buffer_text(&writer->out, "</");
    buffer_text(&writer->out, name);
    buffer_byte(&writer->out, '>');
}

void xml_leaf(struct xml_writer *writer, const char *name, const char *text)
{
    xml_open(writer, name);
    if (*text)
        xml_text_add(writer, text);
    xml_close(writer);
}

bool xml_done(struct xml_writer *writer, struct bytes *out, struct err *err)
{
    if (writer->depth > 0)
        bug("XML element %s not closed", writer->open[writer->depth - 1]);
    if (writer->is_unfit)
        return err_set(err, ERR_BAD_INPUT, "text holds characters that XML cannot carry");
    return buffer_done(&writer->out, out, err);
}
