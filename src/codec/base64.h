/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648): strict both ways, and the lenient reading that SCEP's GET needs. */
#pragma once

#include "base/bytes.h"

/* Standard alphabet with padding, no line breaks. Belongs to owner. */
char *base64_encode(void *owner, struct bytes in);
/* The URL-safe alphabet without padding. */
char *base64url_encode(void *owner, struct bytes in);
/* Exactly one well-formed text; white space refused. ERR_BAD_INPUT, ERR_TOO_LARGE. */
MUST_CHECK bool base64_decode(void *owner, struct bytes in, size_t limit, struct bytes *out,
                              struct err *err);
MUST_CHECK bool base64url_decode(void *owner, struct bytes in, size_t limit, struct bytes *out,
                                 struct err *err);
/* Standard alphabet, padded, white space anywhere: inside property lists and PEM. */
MUST_CHECK bool base64_decode_spaced(void *owner, struct bytes in, size_t limit, struct bytes *out,
                                     struct err *err);
/* Line breaks skipped, both alphabets, a space read as '+', padding optional: what SCEP clients
 * put into the query of a GET (RFC 8894 4.1 and the field's habits). */
MUST_CHECK bool base64_decode_lenient(void *owner, struct bytes in, size_t limit, struct bytes *out,
                                      struct err *err);
/* PEM (RFC 7468): the first block with this label ("CERTIFICATE"), or any label when NULL.
 * ERR_NOT_FOUND when there is none; text around the block is ignored. */
MUST_CHECK bool pem_decode(void *owner, struct bytes in, const char *label, size_t limit,
                           struct bytes *out, struct err *err);
char *pem_encode(void *owner, const char *label, struct bytes der);
