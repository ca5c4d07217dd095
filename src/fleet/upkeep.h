/* SPDX-License-Identifier: Apache-2.0 */
/* What time alone changes: called by jobs. */
#pragma once

#include "fleet/fleet.h"

#define SILENCE_SECONDS (14 * 24 * 3600) /* after which a departure is taken as unconfirmed */
/* A device that erases itself answers once or not at all: after this long it will not. If it speaks
 * nevertheless the erasure is delivered again, see fleet/departure.h. */
#define WIPE_ANSWER_SECONDS (24 * 3600)

/* Commands that no device fetched in their life are given up. */
MUST_CHECK bool fleet_commands_expire(struct fleet *fleet, int64_t now, struct err *err);
/* What destroys or locks out and was not fetched for too long waits for a second yes: at most
 * `limit` at once; *count tells how many. */
MUST_CHECK bool fleet_commands_hold(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                                    struct err *err);
/* Devices that were asked to leave and are silent since: retired_unconfirmed, wiped_unconfirmed. An
 * erasure that the device never fetched is not given up.
 * `limit` are read at a time; *count tells how many there were. One that cannot be closed does not
 * stop the others. */
MUST_CHECK bool fleet_departures_close(struct fleet *fleet, int64_t now, int64_t limit,
                                       size_t *count, struct err *err);

/* Challenges and requests whose time has passed become expired, at most `limit`; *count tells how
 * many there were. Where somebody had to decide the trace and an event say so. */
MUST_CHECK bool fleet_requests_expire(struct fleet *fleet, int64_t now, int64_t limit,
                                      size_t *count, struct err *err);

/*
 * Housekeeping: what is over for longer than it is to be kept goes, PRUNE_BATCH rows in a
 * transaction, the oldest first. What something else refers to stays; the audit stays whole.
 * Returns early when the jobs stop, with whole transactions behind it.
 */
#define PRUNE_BATCH 100
struct pruned {
    const char *what; /* "events" */
    int64_t count;    /* removed */
};
size_t fleet_prune_rules(void);
/* One rule, 0 .. fleet_prune_rules() - 1. A batch that cannot be removed does not stop the others:
 * its error comes at the end. *out is filled in any case. */
MUST_CHECK bool fleet_prune(struct fleet *fleet, size_t rule, int64_t now, struct pruned *out,
                            struct err *err);
