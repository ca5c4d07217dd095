/* SPDX-License-Identifier: Apache-2.0 */
/* URIs: percent-decoding and query strings, bounded. */
#pragma once

#include "base/bytes.h"

struct uri_pair {
    const char *name, *value;
};

struct uri_query {
    const struct uri_pair *pairs;
    size_t count;
};

/* %XX decoded; a malformed escape, a NUL or bytes that are not UTF-8 are refused. plus_is_space for
 * form encoding. */
MUST_CHECK bool uri_decode(void *owner, struct bytes in, bool plus_is_space, char **out,
                           struct err *err);
/* "a=1&b=2": at most limit pairs, doubled names refused. */
MUST_CHECK bool uri_query_parse(void *owner, struct bytes in, size_t limit, struct uri_query *out,
                                struct err *err);
const char *uri_query_get(const struct uri_query *query, const char *name); /* or NULL */
/* Everything but unreserved characters escaped (RFC 3986 2.3). Belongs to owner. */
char *uri_encode(void *owner, const char *text);
