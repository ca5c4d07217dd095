/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolution: all assigned values of one device in, the effective set and one decision per
 * setting out.  Pure and deterministic: the result does not depend on the order of the input.
 */
#pragma once

#include "policy/setting.h"

enum policy_kind { POLICY_CONFIGURATION, POLICY_COMPLIANCE, POLICY_KIND_COUNT };
extern const char *const policy_kind_names[]; /* "configuration", "compliance", NULL */

enum conflict_mode { CONFLICT_STRICTEST, CONFLICT_COMPLIANCE_FIRST };
extern const char *const conflict_mode_names[]; /* "strictest", "compliance_first", NULL */

struct candidate { /* one setting of one assigned policy revision */
    const char *policy_id, *policy_name;
    int64_t revision;
    enum policy_kind kind;
    int64_t band; /* lower = stronger; default 100 */
    enum setting_id setting;
    int64_t value;
};

struct target_device { /* what resolution may look at */
    enum platform platform;
    const char *os_version;
    bool is_supervised;
    bool is_account;       /* an account on somebody's device is managed, not the device */
    const char *ownership; /* "company", "personal" */
    /* Does the device's room have a way for this setting? NULL reason = yes. */
    const char *(*unsupported)(enum setting_id setting, const struct target_device *device);
    /* The value nearest to this one that the way can carry; NULL: each one. */
    int64_t (*nearest)(enum setting_id setting, const struct target_device *device, int64_t value);
};

enum decision_state { DECISION_SET, DECISION_CONFLICT, DECISION_NOT_APPLICABLE };
extern const char *const decision_state_names[]; /* "set", "conflict", "not_applicable", NULL */

struct decision { /* the decision record of one setting: each candidate stands in it exactly once */
    enum setting_id setting;
    enum decision_state state;
    int64_t value;    /* the winner's, or the nearest that the device takes: the rule says so */
    const char *rule; /* "only value", "strictest: higher wins", "band 10 before 100", ... */
    const struct candidate *winner;  /* NULL when not applicable */
    const struct candidate **losers; /* strongest first */
    size_t loser_count;
    const struct candidate **dropped; /* not applicable here */
    const char **dropped_reasons;
    size_t dropped_count;
};

struct resolution {
    const struct decision *decisions; /* by setting id */
    size_t count;
};

struct resolve_input {
    const struct candidate *candidates;
    size_t candidate_count;
    const struct target_device *device;
    enum conflict_mode mode;
    const struct setting_value *current; /* values already on the device; may be NULL */
    size_t current_count;
};
/*
 * For each setting: candidates that do not apply here are dropped; the strongest band is kept; in
 * CONFLICT_COMPLIANCE_FIRST, compliance policies within it; the strictest value wins. Where values
 * differ and cannot be ranked, the current one stays if a candidate asks for it, otherwise the
 * lowest policy id decides, and the state is a conflict. Of equal values the lowest policy id is
 * named as the winner, of one policy the newest revision. The result belongs to owner and points
 * into the candidates.
 */
void policy_resolve(void *owner, const struct resolve_input *input, struct resolution *out);

/* The effective set alone, by setting id: conflicts with their kept value, nothing for what does
 * not apply. Returns the count; the values belong to owner. */
size_t resolution_values(void *owner, const struct resolution *resolution,
                         const struct setting_value **out);
