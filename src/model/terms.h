/* SPDX-License-Identifier: Apache-2.0 */
/* What people agree to before their device is managed, and that they did. */
#pragma once

#include "base/field.h"

#define TERMS_SIZE_MAX 65536 /* characters of the text */

struct terms {
    int64_t version;
    char *title, *body; /* paragraphs are parted by empty lines */
    int64_t created_at;
    char *created_by;
    int64_t withdrawn_at;
};
extern const struct fields terms_fields;

struct terms_acceptance {
    char *user_id, *user_name;
    int64_t version, accepted_at;
};
extern const struct fields terms_acceptance_fields;
