/* SPDX-License-Identifier: Apache-2.0 */
#include "server/admin.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fleet/account.h"
#include "server/wiring.h"

static bool reset(void *owner, const struct options *options, const char *name, char **password,
                  struct err *err)
{
    struct house house = {.options = options};
    struct fleet *fleet;
    struct actor actor = fleet_system_actor(clock_now());
    return database_open(owner, options->database, &house.database, err) &&
           database_migrate(house.database, err) && wiring_open(owner, &house, err) &&
           fleet_open(owner, house.database, NULL, house.shared, &fleet, err) &&
           fleet_account_reset(fleet, &actor, owner, name, ROLE_ADMINISTRATOR, password, err);
}

int admin_run(void *owner, const struct options *options, const char *name)
{
    struct err err;
    char *password;
    if (!reset(owner, options, name, &password, &err)) {
        (void)fprintf(stderr, "musterd: %s\n", err.text);
        return 1;
    }
    (void)fprintf(stderr, "One-time password of %s; the first sign-in asks for a new one:\n", name);
    return printf("%s\n", password) < 0;
}
