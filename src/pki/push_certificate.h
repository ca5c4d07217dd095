/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate of Apple's push portal says: its topic, its end, which key it is for. */
#pragma once

#include "base/bytes.h"

struct push_certificate {
    char *topic;     /* UID of the subject: "com.apple.mgmt.…" */
    char *key_about; /* SHA-256 of its public key, hexadecimal */
    int64_t not_after;
};
/* ERR_BAD_INPUT when it is none, has no management topic or has expired. */
MUST_CHECK bool push_certificate_read(void *owner, struct bytes der, int64_t now,
                                      struct push_certificate *out, struct err *err);
/* The same name for the key of a PKCS#10 request. */
MUST_CHECK bool push_request_about(void *owner, struct bytes request, const char **about,
                                   struct err *err);
