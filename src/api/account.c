/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts: who may sign in, and as what. */
#include "api/answer.h"
#include "api/resources.h"
#include "fleet/roster.h"

static bool account_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_account_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, account_fields, sizeof(struct account), &list);
    return true;
}

static bool account_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct account account;
    if (!fleet_account_get(api_fleet(request), &actor, request->owner, request->params[0], &account,
                           err))
        return false;
    api_reply(request, reply, 200, account_fields, &account);
    return true;
}

/* ---- made ---- */

static const struct field account_wish_rows[] = {
    TEXT_FIELD(struct account, name, FIELD_REQUIRED, .lowest = 1, .highest = 100,
               .help = "What the person types to sign in"),
    ENUM_FIELD(struct account, role, FIELD_REQUIRED, role_names, .help = "Role"),
};
static const struct fields account_wish_fields = FIELDS(account_wish_rows);

struct account_made {
    char *id, *name, *password;
    int role;
};
static const struct field account_made_rows[] = {
    TEXT_FIELD(struct account_made, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct account_made, name, FIELD_READ_ONLY, .help = "Name"),
    ENUM_FIELD(struct account_made, role, FIELD_READ_ONLY, role_names, .help = "Role"),
    TEXT_FIELD(struct account_made, password, FIELD_READ_ONLY,
               .help = "For the first sign-in, which asks for a new one: shown this once"),
};
static const struct fields account_made_fields = FIELDS(account_made_rows);

static void reply_made(const struct request *request, struct reply *reply, int status,
                       const struct account *account, char *password)
{
    struct account_made made = {account->id, account->name, password, account->role};
    api_reply(request, reply, status, account_made_fields, &made);
}

static bool account_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct account wish = {0}, account;
    char *password;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_account_create(api_fleet(request), &actor, request->owner, &wish, &account,
                              &password, err))
        return false;
    reply_made(request, reply, 201, &account, password);
    return true;
}

static bool account_reset(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct account account;
    char *password;
    if (!api_body_reason(request, &actor, err) ||
        !fleet_account_give_password(api_fleet(request), &actor, request->owner, request->params[0],
                                     &account, &password, err))
        return false;
    reply_made(request, reply, 200, &account, password);
    return true;
}

/* ---- changed ---- */

struct account_change {
    int role;
    char *reason;
};
static const struct field account_change_rows[] = {
    ENUM_FIELD(struct account_change, role, FIELD_REQUIRED, role_names, .help = "The new role"),
    TEXT_FIELD(struct account_change, reason, 0, .highest = 500, .help = "Why: for the audit log"),
};
static const struct fields account_change_fields = FIELDS(account_change_rows);

static bool account_change(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct account_change wish = {0};
    struct account account;
    if (!api_body(request, &wish, NULL, err))
        return false;
    actor.reason = wish.reason;
    if (!fleet_account_set_role(api_fleet(request), &actor, request->owner, request->params[0],
                                (enum role)wish.role, &account, err))
        return false;
    api_reply(request, reply, 200, account_fields, &account);
    return true;
}

static bool turn(struct request *request, struct reply *reply,
                 bool (*act)(struct fleet *, const struct actor *, void *, const char *,
                             struct account *, struct err *),
                 struct err *err)
{
    struct actor actor = api_actor(request);
    struct account account;
    if (!api_body_reason(request, &actor, err) ||
        !act(api_fleet(request), &actor, request->owner, request->params[0], &account, err))
        return false;
    api_reply(request, reply, 200, account_fields, &account);
    return true;
}

static bool account_disable(struct request *request, struct reply *reply, struct err *err)
{
    return turn(request, reply, fleet_account_disable, err);
}

static bool account_enable(struct request *request, struct reply *reply, struct err *err)
{
    return turn(request, reply, fleet_account_enable, err);
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/accounts",
     account_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "account_list",
     .summary = "List accounts",
     .permission = "account.read",
     .gives = &account_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/accounts",
     account_create,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "account_create",
     .summary = "Make an account with a one-time password",
     .permission = "account.write",
     .takes = &account_wish_fields,
     .gives = &account_made_fields,
     .flags = ROUTE_CREATES},
    {HTTP_GET,
     API "/accounts/{account}",
     account_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "account_get",
     .summary = "One account, by id or name",
     .permission = "account.read",
     .gives = &account_fields},
    {HTTP_PATCH,
     API "/accounts/{account}",
     account_change,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "account_change",
     .summary = "Give an account another role; its sessions and tokens end",
     .permission = "account.write",
     .takes = &account_change_fields,
     .gives = &account_fields},
    {HTTP_POST,
     API "/accounts/{account}/password",
     account_reset,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "account_reset",
     .summary = "Give an account another one-time password; its sessions and tokens end",
     .permission = "account.write",
     .takes = &reason_fields,
     .gives = &account_made_fields},
    {HTTP_POST,
     API "/accounts/{account}/disable",
     account_disable,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "account_disable",
     .summary = "End an account with its sessions and tokens",
     .permission = "account.write",
     .takes = &reason_fields,
     .gives = &account_fields},
    {HTTP_POST,
     API "/accounts/{account}/enable",
     account_enable,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "account_enable",
     .summary = "Let an account sign in again",
     .permission = "account.write",
     .takes = &reason_fields,
     .gives = &account_fields},
};
const struct routes account_routes = {rows, COUNT(rows)};
