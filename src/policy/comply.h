/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compliance: what compliance policies ask of a device against the facts that it reported.  Pure
 * and deterministic; `now` is a parameter.
 */
#pragma once

#include "model/fact.h"
#include "policy/integrity.h"
#include "policy/resolve.h"
#include "policy/version.h"

/* Ascending severity: the highest of its rules is the device's state (design: NotApplicable <
 * Compliant < InGracePeriod < Unknown < NonCompliant < Error). NOT_EVALUATED stands apart: no
 * compliance policy targets the device; it is never compliant. */
enum compliance_state {
    COMPLIANCE_NOT_EVALUATED,
    COMPLIANCE_NOT_APPLICABLE,
    COMPLIANCE_COMPLIANT,
    COMPLIANCE_IN_GRACE_PERIOD,
    COMPLIANCE_UNKNOWN,
    COMPLIANCE_NON_COMPLIANT,
    COMPLIANCE_ERROR,
};
extern const char *const compliance_state_names[]; /* "not_evaluated", ..., NULL */

/*
 * What rules read. Truths are "true" and "false"; a setting's own name ("password.min_length") is a
 * fact too where a device can say what it enforces, in the text form of setting_value_text.
 */
/* a password is set */
#define FACT_PASSWORD_PRESENT "password.present"
/* it meets the rules that the device has */
#define FACT_PASSWORD_COMPLIANT "password.compliant"
/* what is stored is encrypted */
#define FACT_ENCRYPTION_ENABLED "encryption.enabled"
/* 1 blocks + 2 files are encrypted by the hardware while a password is set */
#define FACT_ENCRYPTION_HARDWARE "encryption.hardware"
/* "17.5.1" */
#define FACT_OS_VERSION "os.version"

enum comply_rule_kind {
    COMPLY_SETTING,    /* a setting of the catalogue (password.*, encryption.*) */
    COMPLY_OS_MINIMUM, /* text "17.4" */
    COMPLY_OS_MAXIMUM,
    COMPLY_INTEGRITY,   /* the device must be attested as intact */
    COMPLY_CONTACT_AGE, /* days without contact after which it is non-compliant */
};

struct comply_rule { /* one rule of one assigned compliance policy revision */
    const char *policy_id, *policy_name;
    int64_t revision;
    int64_t grace_seconds;
    int64_t assigned_at;
    enum comply_rule_kind kind;
    enum setting_id setting; /* COMPLY_SETTING */
    int64_t value;           /* COMPLY_SETTING, COMPLY_CONTACT_AGE */
    const char *text;        /* COMPLY_OS_* */
};

struct comply_result { /* the decision record of one rule */
    const struct comply_rule *rule;
    enum compliance_state state;
    const char *name;     /* "password.min_length", "os.minimum", "integrity.attested" */
    const char *expected; /* for people: "at least 8 characters" */
    const char *actual;   /* for people: "passcode present, not compliant" or "not reported" */
    const char *reason;   /* one sentence */
    const char *remedy;   /* what the user or the administrator does; may be NULL */
    const struct fact *evidence; /* the fact it rests on; NULL = none */
    int64_t since; /* since when this state holds (from `previous`, else now); a failure keeps its
                    * beginning when its grace period ends */
    int64_t grace_until; /* 0 = none */
};

struct compliance {
    enum compliance_state state;
    const struct comply_result *results;
    size_t count;
    int64_t recheck_at; /* when a grace period or an age ends; 0 = only on new facts */
};

struct comply_previous { /* of the last evaluation, for `since` */
    const char *policy_id, *name;
    enum compliance_state state;
    int64_t since;
};

struct comply_input {
    const struct target_device *device;
    const struct comply_rule *rules;
    size_t rule_count;
    const struct fact *facts;
    size_t fact_count;
    const struct comply_previous *previous;
    size_t previous_count;
    /* What was found installed on the device: of the effective set, values that it confirmed. */
    const struct setting_value *enforced;
    size_t enforced_count;
    int64_t enforced_at; /* the youngest of them; "compliant" reported earlier says nothing of it */
    int64_t last_contact_at; /* 0 = never */
    int64_t now;
    /* Evidence as old as this makes nobody compliant any more; 0 = no limit. The first also of the
     * last contact, for rules that need no evidence; the second of integrity, if it is shorter. */
    int64_t evidence_seconds, integrity_seconds;
    bool is_shut_out; /* it cannot report: what it said before makes it compliant no longer */
};
/*
 * Unknown is never compliant: a rule is met only by facts that were measured or attested and are
 * young enough, broken by a fact of any evidence and age, and unknown otherwise. A password rule
 * that the device cannot report by value is met when the device confirmed a rule at least as strict
 * and says that its password is compliant. rule_count 0: COMPLIANCE_NOT_EVALUATED.  The result
 * belongs to owner and points into the input.
 */
void policy_comply(void *owner, const struct comply_input *input, struct compliance *out);
