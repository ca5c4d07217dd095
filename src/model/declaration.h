/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that manage themselves by declarations: what they can, and what they say of each one. */
#pragma once

#include "base/field.h"

/* Of one enrolment; token NULL: it was told of nothing yet. */
struct declarative {
    char *token; /* of the whole of its declarations, as it was last told */
    int64_t told_at;
    char *refused_version; /* the system with which it said that it knows no declarations */
    char *capabilities;    /* in the words of its room; NULL: not reported yet */
    int64_t reported_at;
};
extern const struct fields declarative_fields;

enum declaration_kind {
    DECLARATION_ACTIVATION,
    DECLARATION_ASSET,
    DECLARATION_CONFIGURATION,
    DECLARATION_MANAGEMENT,
    DECLARATION_REPORT, /* none: a value that the device was asked for and cannot report */
};
extern const char *const declaration_kind_names[];
enum declaration_validity { DECLARATION_UNKNOWN, DECLARATION_INVALID, DECLARATION_VALID };
extern const char *const declaration_validity_names[];

struct declaration { /* as the device reported it */
    char *enrolment_id;
    int kind; /* enum declaration_kind */
    char *identifier;
    char *token; /* of its content */
    bool is_active;
    int validity; /* enum declaration_validity */
    char *reason, *remedy;
    int64_t reported_at;
};
extern const struct fields declaration_fields;
