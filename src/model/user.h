/* SPDX-License-Identifier: Apache-2.0 */
/* The people who carry devices.  They administer nothing: those who do have accounts. */
#pragma once

#include "base/field.h"

struct user {
    char *id;
    char *name; /* what the person types to sign in; upper and lower case are the same */
    char *full_name, *mail;
    char *apple_account; /* Managed Apple Account; NULL: as the mail address */
    char *password_hash; /* argon2id; NULL: none */
    bool must_change;
    int64_t created_at, disabled_at;
};
extern const struct fields user_fields;
