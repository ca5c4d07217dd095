/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators: sign in, sessions and API tokens. */
#pragma once

#include "fleet/fleet.h"
#include "model/account.h"

#define PASSWORD_SHORTEST 12 /* characters */
#define PASSWORD_LONGEST 256

/* A new account with a one-time password that must be changed at the first sign-in; or, when the
 * name exists, a new one-time password, and all sessions and API tokens ended. role NULL: the one
 * that it has, or administrator; ERR_CONFLICT when it has another, ERR_PRECONDITION when it is
 * disabled. For the server's own command
 * line: ERR_FORBIDDEN unless the actor is the system. */
MUST_CHECK bool fleet_account_reset(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const char *name, const char *role, char **password,
                                    struct err *err);

struct sign_in {
    const char *name, *password;
    const char *new_password; /* required when the account must change it */
    const char *peer;         /* address: wrong attempts are counted for it */
};
struct session {
    char *secret; /* bearer: shown once */
    struct token token;
};
/* ERR_UNAUTHENTICATED for every wrong combination alike; ERR_PRECONDITION when a new password is
 * needed; ERR_TOO_MANY after too many wrong ones from one address or by one name (attempt.h);
 * ERR_UNAVAILABLE when too many sign in at once. Wrong ones are counted (fleet_refusal_list). */
MUST_CHECK bool fleet_sign_in(struct fleet *fleet, const struct actor *actor, void *owner,
                              const struct sign_in *sign_in, struct session *out, struct err *err);
/* One's own password; the name is the actor's, must_change is over. ERR_FORBIDDEN, counted as a
 * wrong sign-in, when the old one is wrong; otherwise as fleet_sign_in. The other sessions of the
 * account end; API tokens stay, as with a new password at the sign-in. No permission; ERR_FORBIDDEN
 * for an actor that is no account. */
MUST_CHECK bool fleet_account_password(struct fleet *fleet, const struct actor *actor, void *owner,
                                       const struct sign_in *sign_in, struct err *err);
/* Who is it that shows this secret? ERR_UNAUTHENTICATED. The actor's texts belong to owner. */
MUST_CHECK bool fleet_token_actor(struct fleet *fleet, void *owner, const char *secret, int64_t now,
                                  struct actor *out, struct err *err);
/* wish: name, role (not above the actor's), expires_at (0 = never). Permission token.write.
 * ERR_UNAUTHENTICATED when what the actor signed in with has ended meanwhile. */
MUST_CHECK bool fleet_token_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const struct token *wish, struct session *out, struct err *err);
MUST_CHECK bool fleet_token_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const struct page *page, struct list *out, struct err *err);
/* One's own session or token without permission; others' with token.write. */
MUST_CHECK bool fleet_token_revoke(struct fleet *fleet, const struct actor *actor, const char *id,
                                   struct err *err);
