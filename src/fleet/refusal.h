/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: what was refused. One row for each hour, kind, peer and subject counts it; the
 * first few are events too. So a stranger can ask a thousand times a second, and from a thousand
 * addresses, without filling the database.
 */
#pragma once

#include "fleet/fleet.h"

#define REFUSAL_EVENTS 5     /* of one row; the others are only counted */
#define REFUSAL_PEERS 100    /* rows of one kind and hour; strangers behind that share one */
#define REFUSAL_PEER_SIZE 64 /* bytes of a peer's text form, with the NUL */

struct refusal_wish {
    const char *kind;      /* "certificate.refused": of the row and the events */
    const char *peer;      /* address of a stranger, or the enrolment of a device */
    const char *subject;   /* what it was about, if it is ours: challenge, account; NULL: nothing */
    const char *device_id; /* of the events; NULL: a stranger's, whose rows are limited */
    const char *detail;    /* JSON text; the row keeps the last */
    int64_t now;
};
MUST_CHECK bool refusal_add(struct db *tx, const struct refusal_wish *wish, struct err *err);

/* An address as those who own it have it: of IPv6 the /64, which one household or host has. */
void refusal_peer(const char *address, char out[REFUSAL_PEER_SIZE]);
