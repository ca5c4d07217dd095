/* SPDX-License-Identifier: Apache-2.0 */
#include "model/inventory.h"

#include "model/fact.h"

const char *const inventory_kind_names[] = {"app", "managed_app", "certificate", "profile", NULL};

static const struct field thing_rows[] = {
    TEXT_FIELD(struct thing, identifier, FIELD_READ_ONLY,
               .help = "Bundle identifier, SHA-256 of a certificate, identifier of a profile"),
    TEXT_FIELD(struct thing, name, FIELD_READ_ONLY, .help = "Name"),
    TEXT_FIELD(struct thing, version, FIELD_READ_ONLY, .help = "Version; null: not told"),
    TEXT_FIELD(struct thing, state, FIELD_READ_ONLY,
               .help = "What management knows of it; null: nothing, which is not the same as no"),
    TIME_FIELD(struct thing, expires_at, FIELD_READ_ONLY, .help = "When a certificate ends"),
    RAW_FIELD(struct thing, detail, FIELD_READ_ONLY,
              .help = "What else was told; a key that is missing was not told"),
    TIME_FIELD(struct thing, first_seen_at, FIELD_READ_ONLY, .help = "In which report first"),
    TIME_FIELD(struct thing, changed_at, FIELD_READ_ONLY, .help = "Since when it is like this"),
    TIME_FIELD(struct thing, reported_at, FIELD_READ_ONLY, .help = "When the list was told"),
};
const struct fields thing_fields = FIELDS(thing_rows);

static const struct field list_rows[] = {
    ENUM_FIELD(struct inventory_list, kind, FIELD_READ_ONLY, inventory_kind_names,
               .help = "What the list is of"),
    INTEGER_FIELD(struct inventory_list, count, FIELD_READ_ONLY, .help = "How many are kept"),
    BOOLEAN_FIELD(struct inventory_list, is_cut, FIELD_READ_ONLY,
                  .help = "The device told more than is kept"),
    ENUM_FIELD(struct inventory_list, evidence, FIELD_READ_ONLY, evidence_names,
               .help = "How far it can be trusted"),
    TIME_FIELD(struct inventory_list, reported_at, FIELD_READ_ONLY, .help = "When it was told"),
};
const struct fields inventory_list_fields = FIELDS(list_rows);
