/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone was born with: a key that its maker has certified, for what it says before it is
 * managed. */
#pragma once

#include "sim/openssl.h"

struct maker {
    EVP_PKEY *key;
    X509 *certificate;
    struct certificates *chain;
};
/* directory holds device-ca.pem and device-ca.key (muster-sim enrolment-service authority); keys:
 * a key pool, NULL: made anew. Belongs to owner. */
MUST_CHECK bool maker_open(void *owner, const char *directory, const char *common_name,
                           const char *keys, struct maker **out, struct err *err);
/* CMS SignedData with the content in it. Belongs to owner. */
MUST_CHECK bool maker_sign(void *owner, const struct maker *maker, struct bytes content,
                           struct bytes *out, struct err *err);
