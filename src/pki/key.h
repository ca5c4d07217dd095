/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of peers: which kinds and sizes are acceptable, checked before they are used. */
#pragma once

#include "base/bytes.h"

enum key_kind { KEY_RSA = 1, KEY_P256, KEY_P384 };

struct key_facts {
    enum key_kind kind;
    int bits; /* RSA: of the modulus */
};

#define KEY_SPKI_MAX 1024 /* bytes; RSA-4096 needs 550 */

const char *key_kind_name(enum key_kind kind); /* "RSA", "P-256", "P-384" */

/* Parse SubjectPublicKeyInfo DER. ERR_BAD_INPUT when it is no key; ERR_FORBIDDEN when it is one
 * that we do not certify: RSA outside 2048..4096 bits, an exponent that is even, below 65537 or
 * above 64 bits, a curve other than P-256 and P-384, any other algorithm. Cheap for giant keys:
 * the size is looked at before any arithmetic. */
MUST_CHECK bool key_check(struct bytes spki, struct key_facts *out, struct err *err);
