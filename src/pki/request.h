/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate requests (PKCS#10), parsed into what is compared with the expectation.  Nothing of a
 * request but its public key ever gets into a certificate.
 */
#pragma once

#include "pki/key.h"
#include "pki/name.h"

#define REQUEST_SIZE_MAX 16384    /* bytes of DER */
#define REQUEST_CHALLENGE_MAX 255 /* bytes: PKCS#9 5.4.1 */
#define REQUEST_PURPOSES_MAX 16   /* extended key usages */

/* Bits of keyUsage, RFC 5280 4.2.1.3: bit 0 of the text is 0x80 of the first byte. */
enum key_usage {
    KEY_USAGE_DIGITAL_SIGNATURE = 0x80,
    KEY_USAGE_KEY_ENCIPHERMENT = 0x20,
};
/* As RFC 5280 names them, with commas; other combinations as "bits 0x…". Belongs to owner. */
const char *key_usage_text(void *owner, unsigned usage);

struct certificate_request {
    struct bytes der, spki;
    const char *spki_sha256; /* lower-case hex */
    struct key_facts key;
    struct name subject;
    struct alternatives alternatives;
    bool has_key_usage;
    unsigned key_usage; /* first byte, and the second shifted by 8 */
    bool has_purposes;
    const char *const *purposes; /* OIDs in digits, NULL-terminated */
    const char *challenge;       /* UTF-8, or NULL; secret: wiped with its owner */
};

/* Exactly one request. Belongs to owner.
 * ERR_BAD_INPUT, ERR_TOO_LARGE: not a request at all; ERR_PRECONDITION: one with doubled or
 * malformed parts, CA:TRUE, or a digest other than SHA-256, SHA-384 and SHA-512; ERR_FORBIDDEN: a
 * key that is not certified (looked at before the signature); ERR_UNAUTHENTICATED: the signature
 * is not by that key. */
MUST_CHECK bool request_parse(void *owner, struct bytes der, struct certificate_request *out,
                              struct err *err);
/* The same, and SHA-1 is taken too: of clients that know nothing else. */
MUST_CHECK bool request_parse_legacy(void *owner, struct bytes der, struct certificate_request *out,
                                     struct err *err);
