/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device reports that manages itself: which declarations it has and what it makes of them,
 * which kinds it knows, and facts that it was asked to report.  Rooms turn their words into these.
 */
#pragma once

#include "fleet/act.h"
#include "fleet/desired.h"
#include "fleet/list.h"

struct declared { /* one declaration, or with DECLARATION_REPORT one value it cannot report */
    struct declaration declaration;
    const char *item; /* of the effective set; NULL: none */
    bool is_removed;
};
struct declared_report {
    bool is_full;         /* what it does not name is not there; else it tells what changed */
    unsigned named_kinds; /* set of declaration_kind: the kinds that it speaks of */
    const struct declared *declared;
    size_t count;
    const char *capabilities; /* NULL: not reported */
    const struct fact *facts;
    size_t fact_count;
};
#define DECLARED_MOST 500 /* rows of one enrolment; more are not kept */
/*
 * One transaction: declarations, items of the effective set (valid and in force: verified; invalid:
 * failed with the reason), capabilities, facts, compliance, events. *replan: what holds may go to
 * the device in another way now, or an old way may end: the caller plans, or the planning job does.
 */
MUST_CHECK bool fleet_declared(struct fleet *fleet, const struct actor *actor,
                               const struct identity *identity,
                               const struct declared_report *report, bool *replan, struct err *err);
/* The device has fetched the declaration of this item. */
MUST_CHECK bool fleet_declaration_fetched(struct fleet *fleet, const struct actor *actor,
                                          const struct identity *identity, const char *item,
                                          struct err *err);
/* What the device said last of its declarations, struct declaration each. Permission device.read.
 */
MUST_CHECK bool fleet_declaration_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                       const char *device_id, struct list *out, struct err *err);
