/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 certificates, parsed into what the rest of the house asks about. */
#pragma once

#include "pki/key.h"
#include "pki/name.h"

#define CERTIFICATE_SIZE_MAX 16384 /* bytes of DER */

struct certificate {
    struct bytes der, spki;
    struct name subject, issuer;
    struct bytes issuer_der, subject_der; /* the Names as they are encoded */
    const char *common_name;              /* NULL when there is none */
    const char *serial;                   /* lower-case hex, no leading zero bytes */
    const char *sha256;                   /* of der, lower-case hex */
    const char *spki_sha256;
    const char *san_uri; /* the first URI among the alternative names, or NULL */
    const char *crl_url; /* the first URI of its CRL distribution points, or NULL */
    int64_t not_before, not_after;
    bool is_authority; /* basicConstraints CA:TRUE */
};

/* Exactly one certificate, DER. All of *out belongs to owner. ERR_BAD_INPUT, ERR_TOO_LARGE. The
 * signature is not looked at. Alternative names of kinds that we do not know are passed over. */
MUST_CHECK bool certificate_parse(void *owner, struct bytes der, struct certificate *out,
                                  struct err *err);
/* The issuer's name is the authority's subject and its key made the signature. Dates and
 * revocation are the caller's. */
bool certificate_is_issued_by(struct bytes der, struct bytes authority_der);
/* A serial number that is always 16 bytes and positive: top bit clear, the next one set. */
void certificate_serial_make(uint8_t serial[16]);
