/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short chains of certificates with keys on P-256 and P-384, and nothing else: makers of devices
 * vouch for them so.  Stricter than RFC 5280: each certificate is signed by the next one.
 */
#pragma once

#include "pki/outline.h"

#define EC_CHAIN_MAX 4            /* certificates, the leaf first */
#define EC_ANCHORS_MAX 8          /* certificates of one file */
#define EC_ANCHORS_SIZE_MAX 65536 /* bytes of it */

struct ec_anchors { /* borrows from what anchors_open gave its owner */
    struct outline certificates[EC_ANCHORS_MAX];
    size_t count;
};
/* Certificates in PEM, at least one. ERR_PRECONDITION: the file is not such a list. */
MUST_CHECK bool ec_anchors_open(void *owner, struct bytes pem, struct ec_anchors *out,
                                struct err *err);
/*
 * Every signature holds, up to an anchor (which may be the last of the chain itself); all are valid
 * now; all but the leaf are authorities that may sign certificates, the leaf is none; path lengths
 * are kept; no critical extension is unknown.  ERR_FORBIDDEN says what does not hold.
 */
MUST_CHECK bool ec_chain_check(const struct outline *chain, size_t count,
                               const struct ec_anchors *anchors, int64_t now, struct err *err);
