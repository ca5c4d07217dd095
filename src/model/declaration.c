/* SPDX-License-Identifier: Apache-2.0 */
#include "model/declaration.h"

const char *const declaration_kind_names[] = {"activation", "asset",  "configuration",
                                              "management", "report", NULL};
const char *const declaration_validity_names[] = {"unknown", "invalid", "valid", NULL};

static const struct field declarative_rows[] = {
    TEXT_FIELD(struct declarative, token, FIELD_READ_ONLY),
    TIME_FIELD(struct declarative, told_at, FIELD_READ_ONLY),
    TEXT_FIELD(struct declarative, refused_version, FIELD_READ_ONLY),
    TEXT_FIELD(struct declarative, capabilities, FIELD_READ_ONLY),
    TIME_FIELD(struct declarative, reported_at, FIELD_READ_ONLY),
};
const struct fields declarative_fields = FIELDS(declarative_rows);

static const struct field declaration_rows[] = {
    TEXT_FIELD(struct declaration, enrolment_id, FIELD_READ_ONLY, .help = "Enrolment"),
    ENUM_FIELD(struct declaration, kind, FIELD_READ_ONLY, declaration_kind_names,
               .help = "Kind of declaration; report: a value that the device cannot report"),
    TEXT_FIELD(struct declaration, identifier, FIELD_READ_ONLY, .help = "Name on the device"),
    TEXT_FIELD(struct declaration, token, FIELD_READ_ONLY, .help = "Stands for its content"),
    BOOLEAN_FIELD(struct declaration, is_active, FIELD_READ_ONLY, .help = "In force"),
    ENUM_FIELD(struct declaration, validity, FIELD_READ_ONLY, declaration_validity_names,
               .help = "Whether the device can make use of it"),
    TEXT_FIELD(struct declaration, reason, FIELD_READ_ONLY, .help = "What the device says of it"),
    TEXT_FIELD(struct declaration, remedy, FIELD_READ_ONLY, .help = "What to do about it"),
    TIME_FIELD(struct declaration, reported_at, FIELD_READ_ONLY,
               .help = "When the device reported it"),
};
const struct fields declaration_fields = FIELDS(declaration_rows);
