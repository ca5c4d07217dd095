/* SPDX-License-Identifier: Apache-2.0 */
/* Digests for those who may not see OpenSSL; they cannot fail. */
#pragma once

#include "base/bytes.h"

void digest_sha256(struct bytes in, uint8_t out[32]);
char *digest_sha256_hex(void *owner, struct bytes in); /* lower case; belongs to owner */
/* HMAC with SHA-1: for peers that know nothing better (OAuth 1.0a). */
void digest_hmac_sha1(struct bytes key, struct bytes message, uint8_t out[20]);
