/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/sax.h"

#include <expat.h>

#include "base/mem.h"

/* The parser gets small pieces, so that a tag without end is noticed before it is large. */
#define PIECE_SIZE 4096

DEFINE_CLEANUP(XML_Parser, XML_ParserFree)

struct state {
    XML_Parser parser;
    const struct sax *sax;
    void *context;
    const struct xml_limits *limits;
    struct bytes in;
    size_t depth, nodes, namespaces;
    bool has_doctype;
    bool stopped; /* Expat still delivers some events after XML_StopParser */
    struct err *err;
};

static void stop(struct state *state)
{
    state->stopped = true;
    (void)XML_StopParser(state->parser, XML_FALSE);
}

static void refuse(struct state *state, enum err_kind kind, const char *what)
{
    if (state->stopped)
        return;
    (void)err_set(state->err, kind, "%s", what);
    stop(state);
}

static bool names_fit(const char *name, const char *const *attributes)
{
    if (strnlen(name, XML_NAME_MAX + 1) > XML_NAME_MAX)
        return false;
    for (size_t i = 0; attributes[i]; i += 2)
        if (strnlen(attributes[i], XML_NAME_MAX + 1) > XML_NAME_MAX)
            return false;
    return true;
}

/* Behind a DOCTYPE with an external identifier Expat leaves unknown entities out of attributes and
 * tells nobody: look at the tag as it was sent. */
static bool has_reference(const struct state *state)
{
    size_t at = (size_t)XML_GetCurrentByteIndex(state->parser);
    size_t size = (size_t)XML_GetCurrentByteCount(state->parser);
    return state->has_doctype && memchr(state->in.data + at, '&', size);
}

static bool start_check(struct state *state, const char *name, const char *const *attributes,
                        struct err *err)
{
    size_t count = 0;
    while (attributes[count])
        count += 2;
    if (++state->nodes > state->limits->nodes)
        return err_set(err, ERR_TOO_LARGE, "more than %zu elements", state->limits->nodes);
    if (++state->depth > state->limits->depth)
        return err_set(err, ERR_TOO_LARGE, "elements nested deeper than %zu", state->limits->depth);
    if (count / 2 > state->limits->attributes)
        return err_set(err, ERR_TOO_LARGE, "more than %zu attributes in one element",
                       state->limits->attributes);
    if (count > 0 && has_reference(state))
        return err_set(err, ERR_BAD_INPUT, "entity in an attribute behind a DOCTYPE");
    return names_fit(name, attributes) ||
           err_set(err, ERR_TOO_LARGE, "a name is longer than %d bytes", XML_NAME_MAX);
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct state *state = context;
    const char *const *pairs = (const char *const *)attributes;
    if (state->stopped)
        return;
    if (!start_check(state, name, pairs, state->err) ||
        !state->sax->start(state->context, name, pairs, state->err))
        stop(state);
}

static void on_end(void *context, const XML_Char *name)
{
    struct state *state = context;
    (void)name;
    if (state->stopped)
        return;
    state->depth--;
    if (!state->sax->end(state->context, state->err))
        stop(state);
}

static void on_text(void *context, const XML_Char *text, int size)
{
    struct state *state = context;
    struct bytes bytes = {(const uint8_t *)text, (size_t)size};
    if (!state->stopped && !state->sax->text(state->context, bytes, state->err))
        stop(state);
}

/* Expat remembers every prefix until the end: as many as elements are enough for everybody. */
static void on_namespace(void *context, const XML_Char *prefix, const XML_Char *uri)
{
    struct state *state = context;
    (void)prefix;
    (void)uri;
    if (++state->namespaces > state->limits->nodes)
        refuse(state, ERR_TOO_LARGE, "too many namespace declarations");
}

static void on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_internal_subset)
{
    struct state *state = context;
    (void)name;
    (void)system;
    (void)public;
    state->has_doctype = true;
    if (has_internal_subset)
        refuse(state, ERR_BAD_INPUT, "declarations in a DOCTYPE are refused");
}

/* With an unread external subset Expat would leave unknown entities out in silence. */
static void on_skipped_entity(void *context, const XML_Char *name, int is_parameter)
{
    (void)name;
    (void)is_parameter;
    refuse(context, ERR_BAD_INPUT, "undefined entity");
}

static bool parse_failed(struct state *state)
{
    if (!state->stopped)
        (void)err_set(state->err, ERR_BAD_INPUT, "not well-formed XML: %s",
                      XML_ErrorString(XML_GetErrorCode(state->parser)));
    CLEANUP(mem_free_at)
    char *where = mem_format(NULL, "line %lu", XML_GetCurrentLineNumber(state->parser));
    return err_under(state->err, where);
}

static bool feed(struct state *state)
{
    struct bytes in = state->in;
    for (size_t at = 0;;) {
        size_t size = in.size - at < PIECE_SIZE ? in.size - at : PIECE_SIZE;
        const char *piece = size > 0 ? (const char *)in.data + at : "";
        bool is_last = at + size == in.size;
        if (XML_Parse(state->parser, piece, (int)size, is_last) != XML_STATUS_OK)
            return parse_failed(state);
        if (is_last)
            return true;
        at += size;
        if (at - (size_t)XML_GetCurrentByteIndex(state->parser) > XML_TOKEN_MAX) {
            refuse(state, ERR_TOO_LARGE, "a tag or comment is too long");
            return parse_failed(state);
        }
    }
}

bool sax_parse(struct bytes in, const struct xml_limits *limits, const struct sax *sax,
               void *context, struct err *err)
{
    if (in.size > limits->size)
        return err_set(err, ERR_TOO_LARGE, "XML of %zu bytes, at most %zu allowed", in.size,
                       limits->size);
    CLEANUP(XML_ParserFree_at) XML_Parser parser = mem_must(XML_ParserCreateNS("UTF-8", '|'));
    struct state state = {
        .parser = parser, .sax = sax, .context = context, .limits = limits, .in = in, .err = err};
    XML_SetUserData(parser, &state);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartNamespaceDeclHandler(parser, on_namespace);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetSkippedEntityHandler(parser, on_skipped_entity);
    return feed(&state);
}
