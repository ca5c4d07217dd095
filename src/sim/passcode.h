/* SPDX-License-Identifier: Apache-2.0 */
/* The passcode of a simulated phone, and whether it meets the installed passcode payloads. Pure. */
#pragma once

#include "codec/json.h"
#include "codec/plist.h"

struct passcode { /* the user's passcode, by its properties */
    bool present;
    bool alphanumeric; /* holds a letter */
    bool simple;       /* repeats or counts: 1111, 1234, abcd */
    int64_t length;
    int64_t complex; /* characters that are neither letter nor digit */
    int64_t age_days;
};

struct passcode_rules { /* the strictest of all payloads */
    bool required;      /* forcePIN */
    bool no_simple;
    bool letters; /* requireAlphanumeric */
    int64_t min_length, min_complex;
    int64_t max_age_days;   /* 0: no limit */
    int64_t max_grace;      /* minutes; -1: not set */
    int64_t max_inactivity; /* minutes; 0: not set */
    int64_t max_failed;     /* 0: not set */
};

#define PASSCODE_NO_RULES ((struct passcode_rules){.max_grace = -1})

/* Take one com.apple.mobiledevice.passwordpolicy payload into the rules. */
void passcode_rules_add(struct passcode_rules *rules, const struct plist *payload);
/* The same for the payload of com.apple.configuration.passcode.settings: with any rule a passcode
 * is required. */
void passcode_rules_declare(struct passcode_rules *rules, const json_t *payload);
/* What a device makes of them where an account alone is managed: six digits that are not simple,
 * where there is any rule. */
struct passcode_rules passcode_rules_of_account(const struct passcode_rules *rules);
bool passcode_complies(const struct passcode *passcode, const struct passcode_rules *rules);
/* "none", "simple", a length ("8"), or a length with letters ("8a") or symbols ("8c"). */
MUST_CHECK bool passcode_parse(const char *text, struct passcode *out, struct err *err);
