/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML on Expat: bytes to a small tree with limits on bytes, depth, nodes and attributes fixed at
 * the call, and a writer that escapes.  Entity declarations, processing instructions and external
 * identifiers are never followed; a declaration of an entity is an error.
 */
#pragma once

#include "base/bytes.h"

struct xml_attribute {
    const char *name, *value; /* name as "namespace|local" where a namespace was given */
};

struct xml {
    const char *name; /* "namespace|local", or "local" without namespace */
    const char *text; /* all character data of this element, concatenated; never NULL */
    size_t text_size;
    const struct xml_attribute *attributes;
    size_t attribute_count;
    struct xml *first, *last, *next, *parent;
};

struct xml_limits {
    size_t size, depth, nodes, attributes; /* attributes: per element */
};

/* One document. ERR_BAD_INPUT or ERR_TOO_LARGE with err->where "line N". Beside the limits given, a
 * name (with namespace) has at most 512 bytes and one tag or comment at most 16 kB. */
MUST_CHECK bool xml_parse(void *owner, struct bytes in, const struct xml_limits *limits,
                          struct xml **out, struct err *err);
/* The first child with this name; NULL also for element NULL, so that calls can be chained. */
const struct xml *xml_child(const struct xml *element, const char *name);
const char *xml_attribute_get(const struct xml *element, const char *name);

/* ---- writer ---- */
struct xml_writer {
    struct buffer out;
    const char *open[64]; /* names of the elements not yet closed */
    size_t depth;
    bool in_tag;   /* the last start tag still takes attributes */
    bool is_unfit; /* a text held what XML cannot carry */
};
/* Names are constants of ours; opening deeper than 64, an attribute behind content and closing
 * what is not open are bugs. No XML declaration is written. */
void xml_writer_init(struct xml_writer *writer, void *owner, size_t limit);
/* First, for a page that is text/html: browsers guess at quirks without it. */
void xml_doctype_html(struct xml_writer *writer);
void xml_open(struct xml_writer *writer, const char *name);
void xml_attribute_add(struct xml_writer *writer, const char *name, const char *value);
void xml_text_add(struct xml_writer *writer, const char *text); /* escaped */
void xml_close(struct xml_writer *writer);
void xml_leaf(struct xml_writer *writer, const char *name, const char *text);
/* ERR_TOO_LARGE at the limit; ERR_BAD_INPUT when a text held control characters or was not UTF-8.
 * *out borrows from the writer's owner. */
MUST_CHECK bool xml_done(struct xml_writer *writer, struct bytes *out, struct err *err);
