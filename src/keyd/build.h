/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates out of fields; nothing here parses a name or an extension from outside as text. */
#pragma once

#include "pki/openssl.h"

struct build_extension { /* constant text in OpenSSL's words; {0} ends a list */
    int nid;
    const char *value;
};

struct build_plan {
    const char *common_name;
    const char *organization; /* may be NULL */
    EVP_PKEY *key;            /* the public key to certify */
    uint8_t serial[16];
    int64_t not_before, not_after;
    const struct build_extension *extensions;
    const char *const *san_dns, *const *san_ip;  /* NULL-terminated, may be NULL */
    const char *san_uri;                         /* may be NULL */
    const char *crl_url, *ocsp_url, *issuer_url; /* may be NULL */
};

/* Made and signed (SHA-256). issuer NULL: self-signed with signer. The caller frees *out with
 * X509_free. ERR_BAD_INPUT names the field that cannot be put into a certificate. */
MUST_CHECK bool build_certificate(const struct build_plan *plan, X509 *issuer, EVP_PKEY *signer,
                                  X509 **out, struct err *err);

/* DistributionPointName, DER in its tag: of a certificate's distribution point and of a list's (RFC
 * 5280 4.2.1.13, 5.2.5). Belongs to owner. ERR_BAD_INPUT: not a URL. */
MUST_CHECK bool build_point_name(void *owner, const char *const *urls, struct bytes *out,
                                 struct err *err);

/* A list of distribution points with one point of these addresses, DER (RFC 5280 4.2.1.13). */
MUST_CHECK bool build_points(void *owner, const char *const *urls, struct bytes *out,
                             struct err *err);

int64_t build_not_after(const X509 *certificate);
int64_t build_not_before(const X509 *certificate);
