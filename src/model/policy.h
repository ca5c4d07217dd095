/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, their revisions and assignments, as stored. */
#pragma once

#include "base/field.h"

struct policy {
    char *id;
    char *name;
    char *kind; /* policy_kind_names */
    char *description;
    int64_t revision;
    char *settings; /* JSON object of the newest (or asked) revision: name -> value */
    int64_t created_at, updated_at;
    char *created_by; /* who saved that revision */
    int64_t assignment_count;
};
extern const struct fields policy_fields;

struct assignment {
    char *id;
    char *policy_id;
    char *target;    /* "all", "device" */
    char *device_id; /* of target "device" */
    int64_t band;    /* lower = stronger */
    int64_t created_at;
    char *created_by;
};
extern const struct fields assignment_fields;
#define ASSIGNMENT_BAND 100 /* where the administrator names none */
