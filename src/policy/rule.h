/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What compliance policies hold beside settings of the catalogue: rules that judge, and what says
 * how they are judged.  Pure.
 */
#pragma once

#include "base/field.h"
#include "policy/comply.h"

#define RULE_GRACE "grace.days"     /* how long a device may stay in breach before it counts */
#define RULE_APPLY "settings.apply" /* false: settings are judged, not sent to devices */

enum rule_type { RULE_VERSION, RULE_TRUE, RULE_BOOLEAN, RULE_INTEGER };

struct rule {
    const char *name; /* stable: "os.minimum", in the API and the database */
    const char *area; /* "os" */
    const char *title;
    const char *help;
    const char *unit; /* of integers */
    enum rule_type type;
    bool is_condition;          /* judges devices; else it says how others are judged */
    enum comply_rule_kind kind; /* of conditions */
    int64_t lowest, highest;    /* integers, inclusive */
    const char *stricter;       /* which value is: "higher", "lower", "true", "none" */
};
extern const struct rule policy_rules[];
extern const size_t policy_rule_count;

const struct rule *rule_find(const char *name); /* or NULL */
/* ERR_BAD_INPUT says what is expected. */
MUST_CHECK bool rule_check_version(const char *text, struct err *err);
MUST_CHECK bool rule_check_integer(const struct rule *rule, int64_t value, struct err *err);
