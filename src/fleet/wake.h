/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom to wake, and what came of it.  A row of work stays until it is settled: what is under way
 * when a process ends is pushed for again.
 */
#pragma once

#include "fleet/fleet.h"

#define WAKE_CLAIM_MOST 64 /* enrolments at once */

struct wake { /* one enrolment to wake */
    char *enrolment_id, *topic;
    struct bytes token, magic; /* opened */
    /* The address before, of a device that was not heard of since it told this one: to be pushed to
     * first, for the service keeps only the last notification for a device that is off. Data NULL:
     * none. */
    struct bytes token_before, magic_before;
    int64_t due_at, tries; /* of its row of work; tries in a row that came to nothing */
    int64_t rounds;        /* pushes since something new was queued */
    int64_t claimed_at;
    bool is_waited_for; /* there is something to fetch; false: it was silent for long */
};
/* Lease enrolments of a channel that are due, `most` at most. Those that cannot be woken (ended,
 * blocked, no address, address dead, another topic than the certificate's) or have nothing to fetch
 * are done with this. ERR_UNAVAILABLE when the key process is away: the lease ends by itself. The
 * result belongs to owner. */
MUST_CHECK bool fleet_wake_claim(struct fleet *fleet, void *owner, const char *channel, int64_t now,
                                 size_t most, struct wake **out, size_t *count, struct err *err);

enum wake_outcome {
    WAKE_SENT,  /* the push service took it: queued commands become sent */
    WAKE_LATER, /* try this one again */
    WAKE_HELD,  /* nothing gets through now: it stays where it is, and the try does not count */
    WAKE_DEAD,  /* the address is no more */
    WAKE_WRONG, /* the address is another topic's or environment's */
};
struct wake_answer {
    struct wake *wake;
    enum wake_outcome outcome;
    int64_t retry_seconds; /* WAKE_LATER: at least */
    int64_t dead_since;    /* WAKE_DEAD: seconds UTC; 0: when it was claimed */
    const char *reason;    /* the service's; NULL: none */
};
/* In one transaction. An address that the device told after it died, or after the push was made, is
 * alive: it is tried again. */
MUST_CHECK bool fleet_wake_settle(struct fleet *fleet, const struct wake_answer *answers,
                                  size_t count, int64_t now, struct err *err);

/* The address before is no more. */
MUST_CHECK bool fleet_wake_forget_before(struct fleet *fleet, const char *enrolment_id,
                                         struct err *err);

/* ---- silent devices ---- */
struct wake_sweep {
    int64_t from, until;    /* seconds UTC: whose turn of the day is in between; less than a day */
    int64_t silent_seconds; /* not heard of for this long */
    size_t most;
};
/* Schedule a push for them, spread over a minute; each at most once in twenty hours. *count: how
 * many; equal to `most`: there may be more. Nothing without a certificate that works. */
MUST_CHECK bool fleet_wake_sweep(struct fleet *fleet, const struct wake_sweep *sweep, int64_t now,
                                 size_t *count, struct err *err);
