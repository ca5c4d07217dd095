/* SPDX-License-Identifier: Apache-2.0 */
/* A detached signature over a message: who has said these bytes. */
#pragma once

#include "base/bytes.h"

#define MESSAGE_SIGNATURE_SIZE_MAX 16384 /* bytes of base64; devices send about 2,200 */

/*
 * signature: base64 of CMS SignedData (RFC 5652 5) without content, with one signer whose
 * certificate is inside and a digest of the SHA-2 family; it covers exactly the body.  *certificate
 * becomes the signer's, DER, belongs to owner, and is not judged: issuer, time and revocation are
 * the caller's.  ERR_TOO_LARGE; ERR_BAD_INPUT for everything else.
 */
MUST_CHECK bool message_signature_check(void *owner, const char *signature, struct bytes body,
                                        struct bytes *certificate, struct err *err);
