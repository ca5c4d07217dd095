/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms and conditions: versions that never change.  The newest that was not withdrawn is asked
 * for before a person enrols a device; a newer one is asked for again.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/terms.h"

/* Newest first. Permission terms.read, as of the two that follow. */
MUST_CHECK bool fleet_terms_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const struct page *page, struct list *out, struct err *err);
MUST_CHECK bool fleet_terms_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                int64_t version, struct terms *out, struct err *err);
MUST_CHECK bool fleet_terms_acceptances(struct fleet *fleet, const struct actor *actor, void *owner,
                                        int64_t version, const struct page *page, struct list *out,
                                        struct err *err);
/* wish: title and body. Permission terms.write. */
MUST_CHECK bool fleet_terms_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const struct terms *wish, struct terms *out, struct err *err);
/* Nobody is asked for it any more; the one before it counts again. ERR_CONFLICT: it was withdrawn
 * before. Permission terms.write. */
MUST_CHECK bool fleet_terms_withdraw(struct fleet *fleet, const struct actor *actor, void *owner,
                                     int64_t version, struct terms *out, struct err *err);
