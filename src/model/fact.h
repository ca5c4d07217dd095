/* SPDX-License-Identifier: Apache-2.0 */
/* Facts: what a device, or a source, reported, in catalogue words. */
#pragma once

#include "base/field.h"

/* How far a fact can be trusted; later is better. */
enum evidence {
    EVIDENCE_NONE,
    EVIDENCE_CLAIMED,      /* an app or the user says so */
    EVIDENCE_ACKNOWLEDGED, /* the device accepted an order */
    EVIDENCE_MEASURED,     /* the operating system reports it */
    EVIDENCE_ATTESTED,     /* hardware signed it */
};
extern const char *const evidence_names[];

struct fact {
    char *name;   /* "password.compliant", "os.version", "encryption.hardware" */
    char *value;  /* text form: "true", "17.5.1", "3" */
    int evidence; /* enum evidence */
    char *source; /* what was asked: "SecurityInfo" */
    int64_t reported_at;
};
extern const struct fields fact_fields;
/* "network.", ..., NULL: names that begin like this are private. */
extern const char *const fact_private_areas[];
/* Nobody's business where the device is personal: neither asked nor kept. */
bool fact_is_private(const char *name);
