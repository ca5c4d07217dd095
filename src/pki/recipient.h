/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what was encrypted to a key that stays in the key process. */
#pragma once

#include "pki/keyd.h"

struct recipient { /* as keyd_make_recipient() gave it */
    struct bytes certificate, sealed_key;
};
/* CMS EnvelopedData (RFC 5652 6.1): RSA recipients, AES-CBC. ERR_BAD_INPUT: malformed or changed;
 * ERR_FORBIDDEN: another algorithm; ERR_PRECONDITION: it is for another certificate. The plain text
 * belongs to owner; the caller wipes it. */
MUST_CHECK bool recipient_open(struct keyd *keyd, void *owner, const struct recipient *recipient,
                               struct bytes cms, struct bytes *plain, struct err *err);
