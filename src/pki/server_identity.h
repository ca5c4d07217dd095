/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate that somebody else made for this server: is it one that clients will accept? */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

struct server_identity {
    bool is_rsa;       /* else elliptic */
    int64_t not_after; /* seconds UTC */
};

/*
 * The chain holds together (server first, each followed by its issuer), it is for `host` (a name or
 * an address) and for servers, it holds now, and the key is its own: RSA of 2048 bits and more,
 * P-256 or P-384, without a passphrase.  Whether its root is trusted is the clients' matter.
 * ERR_BAD_INPUT, ERR_PRECONDITION with a sentence.
 */
MUST_CHECK bool server_identity_check(struct bytes chain_pem, struct bytes key_pem,
                                      const char *host, int64_t now, struct server_identity *out,
                                      struct err *err);
