/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys that the configuration names for a door, in place of the authority's own.
 */
#pragma once

#include "base/bytes.h"
#include "edge/edge.h"
#include "server/options.h"

struct given {
    enum edge_kind kind;
    size_t index;                  /* 0 or 1 */
    const char *certificate, *key; /* files; NULL: this is none */
    const char *host;              /* what it must be for */
};
#define GIVEN_MAX 4

/* Those that there are; texts belong to owner. */
size_t given_list(void *owner, const struct options *options, struct given out[GIVEN_MAX]);
/* Read both files and check them. *chain and *key belong to owner; the caller wipes the key. */
MUST_CHECK bool given_read(void *owner, const struct given *given, int64_t now, struct bytes *chain,
                           struct bytes *key, int64_t *not_after, struct err *err);
/* All of them, for check-config. */
MUST_CHECK bool given_check(const struct options *options, int64_t now, struct err *err);
/* The name in the edge's directory, as "front-1.pem"; suffix "pem", "key" or "both". */
char *given_file(void *owner, const struct given *given, const char *suffix);
