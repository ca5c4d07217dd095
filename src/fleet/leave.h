/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what ends with an enrolment, in one place. */
#pragma once

#include "fleet/fleet.h"
#include "model/certificate.h"
#include "model/command.h"

struct leaving {
    const char *enrolment_id, *device_id; /* device_id NULL: none was bound */
    int state;                            /* enum enrolment_state it ends in */
    enum revocation_reason reason;
    int64_t now;
};
/*
 * In one go: state and end, open commands cancelled, challenges cancelled, certificates revoked,
 * what was delivered forgotten, an event. Facts, commands and certificates stay as history.
 */
MUST_CHECK bool enrolment_leave(struct db *tx, const struct leaving *leaving, struct err *err);
/* Commands of an enrolment came to their end (NULL: of several kinds, several items): what they
 * took the place of is not kept for longer than housekeeping keeps things. */
MUST_CHECK bool commands_outdate(struct db *tx, const char *enrolment_id, const char *kind,
                                 const char *item, struct err *err);
void leave_forget(struct fleet *fleet, char *const *enrolment_ids, size_t count);
/* A certificate names the revocation list of this part at this address: from now on that list is
 * made, and says that it is the one there. Nothing to do for part 0. */
MUST_CHECK bool revocation_part_use(struct db *tx, int64_t part, const char *url, int64_t now,
                                    struct err *err);
/* A new certificate revocation list is due. */
MUST_CHECK bool crl_due(struct db *tx, int64_t now, struct err *err);

/* A query is queued once: an open one of the same kind serves. */
MUST_CHECK bool query_add(struct db *tx, const char *enrolment_id, enum command_kind kind,
                          int64_t now, struct err *err);
