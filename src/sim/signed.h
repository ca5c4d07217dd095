/* SPDX-License-Identifier: Apache-2.0 */
/* Signed configuration profiles: CMS SignedData with its content and certificates inside. */
#pragma once

#include "sim/openssl.h"

#define PROFILE_SIZE_MAX ((size_t)4 << 20) /* bytes of a signed profile */

struct signed_content {
    struct bytes content;
    char *signer_sha256; /* of the signer's certificate, hex */
};

/*
 * Verify and open: DER without trailing bytes, attached content, exactly one signer, its
 * certificate inside, SHA-256 or better.  roots: the signer must chain to one of them; NULL: the
 * caller pins the signer instead.  The result belongs to owner.
 */
MUST_CHECK bool signed_open(void *owner, struct bytes der, const struct certificates *roots,
                            struct signed_content *out, struct err *err);
/* base64 of a detached signature over the body: the Mdm-Signature header. Belongs to owner. */
MUST_CHECK bool signature_make(void *owner, struct bytes body, EVP_PKEY *key, X509 *certificate,
                               char **out, struct err *err);
