/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: a hash chain over everything that people and the system did. */
#pragma once

#include "fleet/fleet.h"
#include "model/account.h"

/* Newest first, by position. Permission audit.read. */
MUST_CHECK bool fleet_audit_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const struct page *page, struct list *out, struct err *err);

/* What was refused to strangers and devices, counted by hour; newest first. Permission
 * audit.read. */
MUST_CHECK bool fleet_refusal_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const struct page *page, struct list *out, struct err *err);

struct audit_verdict {
    bool is_intact;
    int64_t entries;         /* numbered entries walked */
    int64_t signed_position; /* newest position that keyd has signed */
    char *problem;           /* one sentence; NULL when intact */
};
/* Walk the whole chain and check every signed head. Permission audit.read. */
MUST_CHECK bool fleet_audit_verify(struct fleet *fleet, const struct actor *actor, void *owner,
                                   struct audit_verdict *out, struct err *err);

/* The job that gives positions after commit and links the chain; *more: call again. */
MUST_CHECK bool fleet_number(struct fleet *fleet, int64_t now, bool *more, struct err *err);
/* keyd signs the head of the chain when it moved. */
MUST_CHECK bool fleet_audit_sign(struct fleet *fleet, int64_t now, struct err *err);
