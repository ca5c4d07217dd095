/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expat with our refusals and limits, one event at a time: what xml.c and plist_xml.c stand on.
 * Only codec/ uses this.
 */
#pragma once

#include "codec/xml.h"

#define XML_NAME_MAX 512          /* bytes of a name, its namespace included */
#define XML_TOKEN_MAX (16 * 1024) /* bytes of one tag, comment or instruction */

/* Each returns false with *err filled to end the parse. */
struct sax {
    /* attributes: name, value, name, value, ..., NULL */
    bool (*start)(void *context, const char *name, const char *const *attributes, struct err *err);
    bool (*text)(void *context, struct bytes text, struct err *err);
    bool (*end)(void *context, struct err *err);
};

/*
 * One document and nothing behind it. ERR_BAD_INPUT when it is not well-formed, has an internal
 * subset (the only place for declarations) or uses an entity beyond XML's own five; ERR_TOO_LARGE
 * for limits. A DOCTYPE with an external identifier is tolerated and never fetched.
 */
MUST_CHECK bool sax_parse(struct bytes in, const struct xml_limits *limits, const struct sax *sax,
                          void *context, struct err *err);
