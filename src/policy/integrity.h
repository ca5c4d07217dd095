/* SPDX-License-Identifier: Apache-2.0 */
/* How far a device can be believed to be what it says it is, and why.  Pure; `now` is a parameter.
 */
#pragma once

#include "base/field.h"
#include "model/fact.h"

/* "intact", "weakened" (its hardware says that protections are off), "compromised",
 * "unproven" (it was asked to attest, and its answer proves nothing), "unanswered" (it gave none)
 */
#define FACT_INTEGRITY "integrity.state"
#define FACT_INTEGRITY_REASON "integrity.reason" /* one sentence about it */
#define FACT_OS_BUILD "os.build"                 /* "21F90" */
/* "false": version and build, as reported, do not belong to each other */
#define FACT_OS_PLAUSIBLE "os.plausible"

enum integrity_state {
    INTEGRITY_UNKNOWN, /* nothing, nothing young enough, or what contradicts itself */
    INTEGRITY_CLAIMED, /* the device, or an app on it, says so: its word alone */
    INTEGRITY_ATTESTED,
    INTEGRITY_WEAKENED,
    INTEGRITY_COMPROMISED,
};
extern const char *const integrity_state_names[];

struct integrity {
    int state;    /* enum integrity_state */
    char *reason; /* one sentence */
    char *source; /* of the fact that it rests on; NULL: none */
    int64_t reported_at;
    int64_t counts_until; /* then it is unknown; 0: for ever, or it is now */
};
extern const struct fields integrity_fields;

/* limit_seconds: how long evidence counts; 0: for ever. What is compromised or weakened does not
 * age. Texts belong to owner. */
void policy_integrity(void *owner, const struct fact *facts, size_t count, int64_t limit_seconds,
                      int64_t now, struct integrity *out);
/* The sentence about a version and a build that do not belong to each other; NULL: they do, or
 * nothing is known. Belongs to owner. */
char *integrity_contradiction(void *owner, const struct fact *facts, size_t count);
