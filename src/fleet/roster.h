/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which accounts there are: made, given another role, ended.  An account is never deleted: the
 * audit log names it.  The last enabled administrator cannot be disabled or lowered, by nobody
 * (ERR_PRECONDITION).  With a changed role and with the end, all sessions and API tokens end.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/account.h"

/* Permission account.read. */
MUST_CHECK bool fleet_account_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const struct page *page, struct list *out, struct err *err);
/* By id or name. ERR_NOT_FOUND. Permission account.read. */
MUST_CHECK bool fleet_account_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const char *which, struct account *out, struct err *err);

/* The following need account.write, and say how the account is afterwards. wish: name and role;
 * *password is for the first sign-in, shown this once. ERR_CONFLICT: the name is taken. */
MUST_CHECK bool fleet_account_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                     const struct account *wish, struct account *out,
                                     char **password, struct err *err);
MUST_CHECK bool fleet_account_set_role(struct fleet *fleet, const struct actor *actor, void *owner,
                                       const char *which, enum role role, struct account *out,
                                       struct err *err);
/* Another one-time password, for somebody who has lost theirs: *password is shown this once, all
 * sessions and API tokens end. ERR_PRECONDITION for one's own account and for a disabled one. */
MUST_CHECK bool fleet_account_give_password(struct fleet *fleet, const struct actor *actor,
                                            void *owner, const char *which, struct account *out,
                                            char **password, struct err *err);
/* ERR_PRECONDITION when it is so already. */
MUST_CHECK bool fleet_account_disable(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *which, struct account *out, struct err *err);
MUST_CHECK bool fleet_account_enable(struct fleet *fleet, const struct actor *actor, void *owner,
                                     const char *which, struct account *out, struct err *err);
