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

#define AUDIT_WALK_MOST 50000 /* entries of one check: a log of years takes several */

struct audit_range {
    int64_t after; /* position; 0: from the start */
    int64_t most;  /* entries; 1..AUDIT_WALK_MOST */
};
struct audit_verdict {
    bool is_intact;
    int64_t entries;         /* numbered entries walked */
    int64_t signed_position; /* newest one among them whose signature was checked; 0: none */
    int64_t next;            /* `after` of the next check; 0: the end of the log was reached */
    char *problem;           /* one sentence; NULL when intact */
};
/* Walk a part of the chain and check every signed head in it; what is signed beyond the end is
 * found with the last part. A part begins with the hash that the entry before it has: when that was
 * changed since the part before, the next entry does not fit. Permission audit.read. */
MUST_CHECK bool fleet_audit_verify(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const struct audit_range *range, struct audit_verdict *out,
                                   struct err *err);

/* The job that gives positions after commit and links the chain; *more: call again. */
MUST_CHECK bool fleet_number(struct fleet *fleet, int64_t now, bool *more, struct err *err);
/* keyd signs the head of the chain when it moved. */
MUST_CHECK bool fleet_audit_sign(struct fleet *fleet, int64_t now, struct err *err);
