/* SPDX-License-Identifier: Apache-2.0 */
#include "model/terms.h"

static const struct field terms_rows[] = {
    INTEGER_FIELD(struct terms, version, FIELD_READ_ONLY, .help = "Number of the version"),
    TEXT_FIELD(struct terms, title, FIELD_REQUIRED, .lowest = 1, .highest = 200, .help = "Title"),
    TEXT_FIELD(struct terms, body, FIELD_REQUIRED, .lowest = 1, .highest = TERMS_SIZE_MAX,
               .help = "Text; empty lines part its paragraphs"),
    TIME_FIELD(struct terms, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TEXT_FIELD(struct terms, created_by, FIELD_READ_ONLY, .help = "Who made it"),
    TIME_FIELD(struct terms, withdrawn_at, FIELD_READ_ONLY, .help = "When it was withdrawn"),
};
const struct fields terms_fields = FIELDS(terms_rows);

static const struct field acceptance_rows[] = {
    TEXT_FIELD(struct terms_acceptance, user_id, FIELD_READ_ONLY, .help = "Who agreed"),
    TEXT_FIELD(struct terms_acceptance, user_name, FIELD_READ_ONLY, .help = "Name"),
    INTEGER_FIELD(struct terms_acceptance, version, FIELD_READ_ONLY, .help = "To which version"),
    TIME_FIELD(struct terms_acceptance, accepted_at, FIELD_READ_ONLY, .help = "When"),
};
const struct fields terms_acceptance_fields = FIELDS(acceptance_rows);
