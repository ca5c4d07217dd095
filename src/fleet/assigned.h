/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: a policy's settings as JSON, and everything assigned to a device as the
 * candidates and rules that the policy core works on.
 */
#pragma once

#include "codec/json.h"
#include "policy/comply.h"

struct db;

struct assigned {
    struct candidate *candidates; /* settings of the catalogue, of both kinds */
    size_t candidate_count;
    struct comply_rule *rules; /* of compliance policies */
    size_t rule_count;
};

/* ERR_BAD_INPUT with the JSON pointer below "/settings" for an unknown name, a wrong type, a value
 * out of range, or a setting that this kind of policy cannot hold. */
MUST_CHECK bool settings_check(const json_t *wishes, enum policy_kind kind, struct err *err);
/* Everything assigned to the device. Belongs to owner. */
MUST_CHECK bool assigned_load(struct db *tx, void *owner, const char *device_id,
                              struct assigned *out, struct err *err);
