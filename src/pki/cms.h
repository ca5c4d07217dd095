/* SPDX-License-Identifier: Apache-2.0 */
/* The CMS structures that are not about one protocol. Results belong to owner. */
#pragma once

#include "base/bytes.h"

/* Degenerate SignedData (certs-only), the certificates in this order: OpenSSL's CMS would sort
 * them, and clients take the first for the new one. crl may be empty. */
struct bytes cms_bundle(void *owner, const struct bytes *certificates, size_t count,
                        struct bytes crl);
/* The certificates of a bundle, DER, at most limit. */
MUST_CHECK bool cms_unbundle(void *owner, struct bytes der, size_t limit,
                             struct bytes *certificates, size_t *count, struct err *err);
/* Verify attached SignedData that was made by this project (a profile, say) against a root at a
 * time, and give its content: for tests and for checking our own work, never for a peer's bytes. */
MUST_CHECK bool cms_verify_own(void *owner, struct bytes der, struct bytes root, int64_t at,
                               struct bytes *content, struct err *err);
