/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: a request signed by a certificate of ours, instead of a challenge. */
#pragma once

#include "fleet/challenge.h"
#include "fleet/issue.h"
#include "model/certificate.h"

#define REISSUES_MOST 3 /* certificates that one signer gets */

struct reissue {
    struct challenge first;     /* of the signer: what was expected of it is expected again */
    struct challenge_wish wish; /* stands for this request: the same key and transaction, the same
                                 * MAC. Nobody knows a text that has it */
    bool is_spent;              /* it has renewed as often as one may: only repeats are answered */
    const char *objection;      /* why this signer renews nothing now; NULL: it may */
};
/* *known false: the signer is, byte for byte, no certificate that we remember. */
MUST_CHECK bool reissue_read(struct fleet *fleet, void *owner,
                             const struct certificate_asked *asked, int64_t now,
                             struct reissue *out, bool *known, struct err *err);
/* Inside the transaction that issues: that still holds, and nobody changes it before the end.
 * ERR_CONFLICT: it does not. */
MUST_CHECK bool reissue_hold(struct db *tx, const struct reissue *reissue, struct err *err);
