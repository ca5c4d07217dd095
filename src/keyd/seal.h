/* SPDX-License-Identifier: Apache-2.0 */
/* The master secret, the keys derived from it, and AES-256-GCM under those keys. */
#pragma once

#include "base/bytes.h"

#define MASTER_SIZE 32
#define SEAL_PLAIN_MAX ((size_t)256 << 10) /* bytes */

struct master { /* secret: wiped and unlocked when it goes away */
    uint8_t key[MASTER_SIZE];
};

/* The systemd credential muster-master, as the user that may read it; empty when there is none.
 * Belongs to owner; the caller wipes it. */
MUST_CHECK bool master_credential_read(void *owner, const char *credentials, struct bytes *out,
                                       struct err *err);
/* Take the credential, else <directory>/master.secret. The file is made
 * (0400) when may_create; without that its absence is ERR_NOT_FOUND: a new secret would not open
 * what the old one sealed. Belongs to owner. */
MUST_CHECK bool master_open(void *owner, const char *directory, struct bytes credential,
                            bool may_create, struct master **out, struct err *err);
/* HKDF-SHA-256; one label per use ("seal/device", "mac/link", ...). */
void master_derive(const struct master *master, const char *label, uint8_t out[32]);

/* Version, nonce, ciphertext and tag; `about` is bound and must be given again. */
MUST_CHECK bool seal_make(void *owner, const struct master *master, const char *label,
                          const char *about, struct bytes plain, struct bytes *out,
                          struct err *err);
/* ERR_BAD_INPUT when it was not sealed under this label and `about`, or was changed. The plain
 * text is wiped with its owner. */
MUST_CHECK bool seal_open(void *owner, const struct master *master, const char *label,
                          const char *about, struct bytes sealed, struct bytes *out,
                          struct err *err);
void hmac_sha256(const uint8_t key[32], struct bytes message, uint8_t out[32]);
/* Memory of owner that is wiped when it goes away. */
uint8_t *secret_new(void *owner, size_t size);
/* Wipe what we allocated ourselves and read through struct bytes. */
void secret_wipe_bytes(struct bytes secret);
