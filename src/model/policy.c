/* SPDX-License-Identifier: Apache-2.0 */
#include "model/policy.h"

static const struct field policy_rows[] = {
    TEXT_FIELD(struct policy, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct policy, name, FIELD_REQUIRED, .lowest = 1, .highest = 100, .help = "Name"),
    TEXT_FIELD(struct policy, kind, FIELD_REQUIRED, .help = "configuration or compliance"),
    TEXT_FIELD(struct policy, description, 0, .highest = 2000, .help = "What it is for"),
    INTEGER_FIELD(struct policy, revision, FIELD_READ_ONLY, .help = "Newest revision"),
    RAW_FIELD(struct policy, settings, FIELD_REQUIRED, .highest = 65536,
              .help = "Settings by name"),
    TIME_FIELD(struct policy, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TIME_FIELD(struct policy, updated_at, FIELD_READ_ONLY, .help = "When it was last changed"),
    TEXT_FIELD(struct policy, created_by, FIELD_READ_ONLY, .help = "Who saved this revision"),
    INTEGER_FIELD(struct policy, assignment_count, FIELD_READ_ONLY,
                  .help = "How many assignments it has"),
};
const struct fields policy_fields = FIELDS(policy_rows);

static const struct field assignment_rows[] = {
    TEXT_FIELD(struct assignment, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct assignment, policy_id, FIELD_READ_ONLY, .help = "Policy"),
    TEXT_FIELD(struct assignment, target, FIELD_REQUIRED, .help = "all or device"),
    TEXT_FIELD(struct assignment, device_id, 0, .help = "The device, for the target device"),
    INTEGER_FIELD(struct assignment, band, 0, .lowest = 1, .highest = 1000,
                  .help = "Priority band: lower is stronger"),
    TIME_FIELD(struct assignment, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TEXT_FIELD(struct assignment, created_by, FIELD_READ_ONLY, .help = "Who made it"),
};
const struct fields assignment_fields = FIELDS(assignment_rows);
