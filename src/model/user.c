/* SPDX-License-Identifier: Apache-2.0 */
#include "model/user.h"

static const struct field user_rows[] = {
    TEXT_FIELD(struct user, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct user, name, FIELD_REQUIRED, .lowest = 1, .highest = 100,
               .help = "What the person types to sign in"),
    TEXT_FIELD(struct user, full_name, 0, .highest = 200, .help = "Name for people"),
    TEXT_FIELD(struct user, mail, 0, .highest = 254, .help = "Mail address"),
    TEXT_FIELD(struct user, apple_account, 0, .highest = 254,
               .help = "Managed Apple Account, where it is not the mail address"),
    TEXT_FIELD(struct user, password_hash, FIELD_SECRET),
    BOOLEAN_FIELD(struct user, must_change, FIELD_READ_ONLY,
                  .help = "The password is for the first sign-in only"),
    TIME_FIELD(struct user, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TIME_FIELD(struct user, disabled_at, FIELD_READ_ONLY, .help = "When it was disabled"),
};
const struct fields user_fields = FIELDS(user_rows);
