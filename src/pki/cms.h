/* SPDX-License-Identifier: Apache-2.0 */
/* The CMS structures that are not about one protocol. Results belong to owner. */
#pragma once

#include "base/bytes.h"

/* Degenerate SignedData (certs-only), the certificates in this order: OpenSSL's CMS would sort
 * them, and clients take the first for the new one. crl may be empty. */
struct bytes cms_bundle(void *owner, const struct bytes *certificates, size_t count,
                        struct bytes crl);
