/* SPDX-License-Identifier: Apache-2.0 */
/* "musterd admin NAME [ROLE]": a one-time password for an account, new or locked out; ADMIN_DISABLE
 * in place of the role ends the account, ADMIN_ENABLE opens it again. */
#pragma once

#include "server/options.h"

#define ADMIN_DISABLE "--disable"
#define ADMIN_ENABLE "--enable"

/* Prints the password alone on standard output. Works beside a running server. role NULL: see
 * fleet_account_reset(). */
int admin_run(void *owner, const struct options *options, const char *name, const char *role);
struct fleet;
/* The database as its user, without keyd, for who looks beside a server or without one. */
MUST_CHECK bool admin_open(void *owner, const struct options *options, struct fleet **out,
                           struct err *err);
