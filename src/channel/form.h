/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that browsers send (application/x-www-form-urlencoded). Pure, bounded, fuzzed. */
#pragma once

#include "codec/uri.h"

#define FORM_SIZE_MAX 8192 /* bytes */
#define FORM_FIELDS_MAX 12

/* Every field has one of these names (NULL-terminated), each once. ERR_BAD_INPUT, ERR_TOO_LARGE.
 * Belongs to owner. */
MUST_CHECK bool form_parse(void *owner, struct bytes body, const char *const *names,
                           struct uri_query *out, struct err *err);
/* The value of a cookie in a Cookie header (RFC 6265 4.2), which may be NULL; NULL: it is not
 * there, stands twice, or is no plain text of at most 200 characters. Belongs to owner. */
char *cookie_find(void *owner, const char *header, const char *name);
