/* SPDX-License-Identifier: Apache-2.0 */
/* CMS SignedData with its content inside, as devices sign what they say of themselves. */
#pragma once

#include "base/bytes.h"

#define SIGNED_SIZE_MAX 65536 /* bytes */

/*
 * Verify and open: exactly one message, one signer whose certificate is inside, and a chain from it
 * to one of the anchors (PEM, one certificate or several; an intermediate one serves too).  Dates
 * are not looked at: makers of devices let their intermediates end while the devices live.
 * ERR_BAD_INPUT: no such message; ERR_FORBIDDEN: the signature or its chain does not hold;
 * ERR_PRECONDITION: the anchors are none.  The content belongs to owner.
 */
MUST_CHECK bool signed_verify(void *owner, struct bytes der, struct bytes anchors_pem,
                              struct bytes *content, struct err *err);
/* How many certificates the anchors hold. ERR_PRECONDITION as above. */
MUST_CHECK bool anchors_check(struct bytes anchors_pem, size_t *count, struct err *err);
