/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: the list of changes beside a revocation list (RFC 5280 5.2.4).  It is made
 * with its list, under the same number, and counts from the oldest list that somebody may still
 * rely on: whoever has any list that holds comes from it to the present state.
 */
#pragma once

#include "fleet/certificate.h"
#include "pki/keyd.h"

/* What has ended stays in the lists until one has told of it that was made after its end (RFC 5280
 * 3.3): they are made daily. */
#define ENDED_KEPT_SECONDS (INT64_C(2) * 86400)

struct delta_of { /* the list that it goes with */
    int64_t part;
    const struct revocation_list *list;
    const char *const *urls; /* its scope: as in struct crl_fields */
};
/* NO_BYTES when there is more to tell than a list of changes can hold. Belongs to owner. */
MUST_CHECK bool delta_make(struct fleet *fleet, void *owner, const struct delta_of *of,
                           struct bytes *der, struct err *err);
/* In the transaction that keeps the list: later changes may be counted from it. */
MUST_CHECK bool delta_base_keep(struct db *tx, int64_t part, const struct revocation_list *list,
                                struct err *err);
