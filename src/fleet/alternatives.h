/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: names of a certificate as people type them. */
#pragma once

#include "fleet/fleet.h"

#define ALTERNATIVES_MOST 16 /* of one kind */

struct split_alternatives {
    const char **dns, **ip; /* NULL-terminated */
    const char *uri;        /* NULL: none */
};
/* "dns:www.example.org, ip:192.0.2.1, uri:urn:x:1" to lists; an empty text has none. DNS names
 * become lower-case, addresses are written as inet_ntop(3) does. ERR_BAD_INPUT. */
MUST_CHECK bool alternatives_split(void *owner, const char *text, struct split_alternatives *out,
                                   struct err *err);
/* "CN=name" or "CN=name, O=organization", in either order; no escapes, no further parts.
 * *organization NULL: not named. ERR_BAD_INPUT. */
MUST_CHECK bool subject_split(void *owner, const char *text, char **common_name,
                              char **organization, struct err *err);
