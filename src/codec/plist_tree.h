/* SPDX-License-Identifier: Apache-2.0 */
/* How the readers of both plist forms build the tree. Only codec/ uses this. */
#pragma once

#include "codec/plist.h"

#define PLIST_DEPTH_MOST                                                                           \
    512 /* containers: freeing and rendering recurse, whatever the caller says */

/* A value at the end of parent, or a root (parent NULL) that belongs to owner. key NULL in arrays;
 * content becomes text or data by type, and must hold no NUL for texts. */
struct plist *plist_node(void *owner, struct plist *parent, enum plist_type type, const char *key,
                         struct bytes content);
/* No key stands twice; n log n. */
MUST_CHECK bool plist_keys_check(const struct plist *dict, struct err *err);

MUST_CHECK bool plist_xml_parse(void *owner, struct bytes in, const struct plist_limits *limits,
                                struct plist **out, struct err *err);
MUST_CHECK bool plist_binary_parse(void *owner, struct bytes in, const struct plist_limits *limits,
                                   struct plist **out, struct err *err);
