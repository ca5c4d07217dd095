/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outline of a certificate: its parts as bytes, cut by our own reader, for certificates that
 * anybody may send and of which few kinds are wanted (RFC 5280 4.1).  No OpenSSL.
 */
#pragma once

#include "base/bytes.h"

#define OUTLINE_SIZE_MAX 8192 /* bytes of one certificate */
#define OUTLINE_EXTENSIONS_MAX 32

struct outline_extension {
    struct bytes oid, value; /* contents: of the identifier, of the octet string */
    bool is_critical;
};
struct outline { /* borrows from the certificate */
    struct bytes whole;
    struct bytes tbs;                  /* what was signed */
    struct bytes issuer, subject, key; /* with tag and length */
    struct bytes algorithm;            /* of the signature, with tag and length */
    struct bytes signature;
    int64_t not_before, not_after; /* 1970 or later */
    struct outline_extension extensions[OUTLINE_EXTENSIONS_MAX];
    size_t extension_count;
};
/* Exactly one certificate of version 3. ERR_BAD_INPUT, ERR_TOO_LARGE; refused are trailing bytes,
 * an extension that stands twice, and two algorithms that differ. Nothing is verified. */
MUST_CHECK bool outline_parse(struct bytes der, struct outline *out, struct err *err);
/* NULL: it has none. */
const struct outline_extension *outline_find(const struct outline *outline, struct bytes oid);
