/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server token of Apple's device enrolment service: S/MIME around CMS around S/MIME around
 * JSON.  Pure: opening the CMS is the key process's matter.
 */
#pragma once

#include "base/bytes.h"

#define SERVICE_TOKEN_MAX 65536 /* bytes of the file */

struct apple_token { /* secrets: wipe what they were read from */
    char *consumer_key, *consumer_secret, *access_token, *access_secret;
    int64_t expires_at;
};
/* The CMS message in the file that was downloaded. *out belongs to owner. ERR_BAD_INPUT. */
MUST_CHECK bool apple_token_unwrap(void *owner, struct bytes file, struct bytes *out,
                                   struct err *err);
/* What was in it. Everything belongs to owner. ERR_BAD_INPUT. */
MUST_CHECK bool apple_token_parse(void *owner, struct bytes plain, struct apple_token *out,
                                  struct err *err);
/* As it is kept: JSON, which apple_token_load reads. Belongs to owner. */
struct bytes apple_token_store(void *owner, const struct apple_token *token);
MUST_CHECK bool apple_token_load(void *owner, struct bytes stored, struct apple_token *out,
                                 struct err *err);
/* The Authorization header of a request (OAuth 1.0a, RFC 5849, HMAC-SHA1). nonce: any text that was
 * not used before. Belongs to owner; a secret follows from it for nobody. */
char *apple_token_authorize(void *owner, const struct apple_token *token, const char *method,
                            const char *url, const char *nonce, int64_t now);
