/* SPDX-License-Identifier: Apache-2.0 */
#include "server/admin.h"

#include <grp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/claim.h"
#include "fleet/account.h"
#include "fleet/roster.h"
#include "server/directories.h"
#include "server/wiring.h"

/* A server works on the database beside us: it alone may change the schema. */
static bool schema_bring(struct database *database, struct err *err)
{
    CLEANUP(mem_free_at) void *claimed = mem_text(NULL, "");
    struct claim *claim;
    bool is_current = false;
    if (!database_is_current(database, &is_current, err) || is_current)
        return is_current;
    if (database_claim(claimed, database, &claim, err))
        return database_migrate(database, err);
    if (err->kind != ERR_CONFLICT)
        return false;
    (void)err_context(err, "the database is of an earlier version");
    err->remedy = "restart the server, which brings it to this one";
    return false;
}

/* Root's files in the database's directory would be shut to the server. */
static bool user_become(const struct options *options, struct err *err)
{
    struct user_ids user;
    if (!user_find(options->user, &user, err))
        return false;
    return geteuid() != 0 || !user.is_set ||
           (setgroups(0, NULL) == 0 && setgid(user.group) == 0 && setuid(user.user) == 0) ||
           err_set(err, ERR_PRECONDITION, "becoming %s: %m", options->user);
}

bool admin_open(void *owner, const struct options *options, struct fleet **out, struct err *err)
{
    struct house house = {.options = options};
    return directories_check(options, err) && user_become(options, err) &&
           database_open(owner, options->database, &house.database, err) &&
           schema_bring(house.database, err) && wiring_open(owner, &house, err) &&
           fleet_open(owner, house.database, NULL, house.shared, out, err);
}

static int failed(const struct err *err)
{
    (void)fprintf(stderr, "musterd: %s%s%s%s\n", err->text, err->remedy ? " (" : "",
                  err->remedy ? err->remedy : "", err->remedy ? ")" : "");
    return 1;
}

/* NULL is a role, too: see fleet_account_reset(). */
static bool role_check(const char *role, struct err *err)
{
    for (size_t i = 0; role && role_names[i]; i++)
        if (text_equal(role, role_names[i]))
            return true;
    return !role || err_set(err, ERR_BAD_INPUT, "'%.40s' is no role: %s, %s or %s", role,
                            role_names[0], role_names[1], role_names[2]);
}

static const struct turn {
    const char *word, *said;
    bool (*run)(struct fleet *fleet, const struct actor *actor, void *owner, const char *which,
                struct account *out, struct err *err);
} turns[] = {
    {ADMIN_DISABLE, "disabled; its sessions and tokens have ended", fleet_account_disable},
    {ADMIN_ENABLE, "enabled again", fleet_account_enable},
};

static const struct turn *turn_find(const char *word)
{
    for (size_t i = 0; i < COUNT(turns); i++)
        if (text_equal(word, turns[i].word))
            return &turns[i];
    return NULL;
}

static int turn_run(void *owner, struct fleet *fleet, const struct turn *turn, const char *name)
{
    struct err err;
    struct account account;
    struct actor actor = fleet_system_actor(clock_now());
    if (!turn->run(fleet, &actor, owner, name, &account, &err))
        return failed(&err);
    (void)fprintf(stderr, "%s is %s.\n", account.name, turn->said);
    return 0;
}

int admin_run(void *owner, const struct options *options, const char *name, const char *role)
{
    struct err err;
    char *password;
    struct fleet *fleet;
    struct actor actor = fleet_system_actor(clock_now());
    const struct turn *turn = turn_find(role);
    if ((!turn && !role_check(role, &err)) || !admin_open(owner, options, &fleet, &err))
        return failed(&err);
    if (turn)
        return turn_run(owner, fleet, turn, name);
    if (!fleet_account_reset(fleet, &actor, owner, name, role, &password, &err))
        return failed(&err);
    (void)fprintf(stderr, "One-time password of %s; the first sign-in asks for a new one:\n", name);
    return printf("%s\n", password) < 0;
}
