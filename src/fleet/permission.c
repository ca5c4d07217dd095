/* SPDX-License-Identifier: Apache-2.0 */
/* Which role may do what: one table. */
#include "fleet/fleet.h"
#include "model/account.h"

#include <string.h>

#include "base/mem.h"

#define ADMINISTRATOR (1u << ROLE_ADMINISTRATOR)
#define HELP_DESK (1u << ROLE_HELP_DESK)
#define AUDITOR (1u << ROLE_AUDITOR)
#define EVERYBODY (ADMINISTRATOR | HELP_DESK | AUDITOR)

static const struct {
    const char *name;
    unsigned roles;
} permissions[] = {
    {"account.read", ADMINISTRATOR | AUDITOR},
    {"account.write", ADMINISTRATOR},
    {"apple.read", EVERYBODY},
    {"apple.write", ADMINISTRATOR},
    {"audit.read", ADMINISTRATOR | AUDITOR},
    {"certificate.approve", ADMINISTRATOR},
    {"certificate.challenge", ADMINISTRATOR},
    {"certificate.read", EVERYBODY},
    {"certificate.revoke", ADMINISTRATOR},
    {"command.cancel", ADMINISTRATOR | HELP_DESK},
    {"device.act", ADMINISTRATOR | HELP_DESK}, /* any command; each kind has its own beside it */
    {"device.block", ADMINISTRATOR | HELP_DESK},
    {"device.bypass_code", ADMINISTRATOR},
    {"device.clear_passcode", ADMINISTRATOR | HELP_DESK},
    {"device.finish_setup", ADMINISTRATOR | HELP_DESK},
    {"device.locate", ADMINISTRATOR},
    {"device.lock", ADMINISTRATOR | HELP_DESK},
    {"device.lost_mode", ADMINISTRATOR | HELP_DESK},
    {"device.read", EVERYBODY},
    {"device.renew_identity", ADMINISTRATOR | HELP_DESK},
    {"device.rename", ADMINISTRATOR | HELP_DESK},
    {"device.restart", ADMINISTRATOR | HELP_DESK},
    {"device.retire", ADMINISTRATOR},
    {"device.shut_down", ADMINISTRATOR | HELP_DESK},
    {"device.set_user", ADMINISTRATOR | HELP_DESK},
    {"device.sync", ADMINISTRATOR | HELP_DESK},
    {"device.wipe", ADMINISTRATOR},
    {"enrolment.create", ADMINISTRATOR | HELP_DESK},
    {"enrolment.read", EVERYBODY},
    {"policy.read", EVERYBODY},
    {"policy.write", ADMINISTRATOR},
    {"self", EVERYBODY},
    {"status.read", EVERYBODY},
    {"terms.read", EVERYBODY},
    {"terms.write", ADMINISTRATOR},
    {"token.read", ADMINISTRATOR | AUDITOR},
    {"token.write", ADMINISTRATOR},
    {"user.password", ADMINISTRATOR | HELP_DESK},
    {"user.read", EVERYBODY},
    {"user.write", ADMINISTRATOR},
};

bool fleet_may(const struct actor *actor, const char *permission)
{
    for (size_t i = 0; i < COUNT(permissions); i++)
        if (strcmp(permissions[i].name, permission) == 0)
            return actor->kind == ACTOR_SYSTEM ||
                   (actor->kind == ACTOR_ACCOUNT &&
                    (permissions[i].roles & 1u << (unsigned)actor->role) != 0);
    bug("unknown permission '%s'", permission);
}

bool fleet_need(const struct actor *actor, const char *permission, struct err *err)
{
    return fleet_may(actor, permission) ||
           err_set(err, ERR_FORBIDDEN, "this needs the permission %s", permission);
}
