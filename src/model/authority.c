/* SPDX-License-Identifier: Apache-2.0 */
#include "model/authority.h"

#include "base/mem.h"

const char *const authority_role_names[] = {"unknown", "next",    "current",
                                            "earlier", "retired", NULL};

static const struct field authority_rows[] = {
    INTEGER_FIELD(struct authority_record, number, FIELD_READ_ONLY, .help = "Number, from 1"),
    ENUM_FIELD(struct authority_record, role, FIELD_READ_ONLY, authority_role_names,
               .help = "The current one issues; earlier ones sign for what they have issued"),
    TIME_FIELD(struct authority_record, since, FIELD_READ_ONLY, .help = "Since when it is that"),
    TEXT_FIELD(struct authority_record, root_sha256, FIELD_READ_ONLY,
               .help = "SHA-256 of its root certificate"),
    TIME_FIELD(struct authority_record, root_not_after, FIELD_READ_ONLY,
               .help = "Until when the root is valid"),
    TIME_FIELD(struct authority_record, issuing_not_after, FIELD_READ_ONLY,
               .help = "Until when the issuing CA is valid"),
    BOOLEAN_FIELD(struct authority_record, certifies_servers, FIELD_READ_ONLY,
                  .help = "The servers' own certificates are from it"),
    INTEGER_FIELD(struct authority_record, certificates, FIELD_READ_ONLY,
                  .help = "Certificates of it that are good or held"),
    INTEGER_FIELD(struct authority_record, devices, FIELD_READ_ONLY,
                  .help = "Active devices whose identity is from it"),
    INTEGER_FIELD(struct authority_record, devices_waiting, FIELD_READ_ONLY,
                  .help = "Devices that have not confirmed its root yet"),
};
#define COUNTED 3
const struct fields authority_fields = FIELDS(authority_rows);
const struct fields authority_stored_fields = {authority_rows, COUNT(authority_rows) - COUNTED};
