/* SPDX-License-Identifier: Apache-2.0 */
/* The people who carry devices. */
#include "fleet/user.h"
#include "api/answer.h"
#include "api/resources.h"

struct user_query {
    char *q;
    int64_t limit;
    char *cursor;
};
static const struct field user_query_rows[] = {
    TEXT_FIELD(struct user_query, q, 0, .help = "Part of a name or mail address"),
    INTEGER_FIELD(struct user_query, limit, 0, .lowest = 1, .highest = LIST_LIMIT_MAX,
                  .help = "How many rows at most"),
    TEXT_FIELD(struct user_query, cursor, 0, .help = "`next` of the page before this one"),
};
static const struct fields user_query_fields = FIELDS(user_query_rows);

static bool user_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_user_list(api_fleet(request), &actor, request->owner, request_query(request, "q"),
                         &page, &list, err))
        return false;
    api_reply_list(request, reply, user_fields, sizeof(struct user), &list);
    return true;
}

static bool user_get(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct user user;
    if (!fleet_user_get(api_fleet(request), &actor, request->owner, request->params[0], &user, err))
        return false;
    api_reply(request, reply, 200, user_fields, &user);
    return true;
}

/* ---- made ---- */

static const struct field user_wish_rows[] = {
    TEXT_FIELD(struct user, name, FIELD_REQUIRED, .lowest = 1, .highest = 100,
               .help = "What the person types to sign in"),
    TEXT_FIELD(struct user, full_name, 0, .highest = 200, .help = "Name for people"),
    TEXT_FIELD(struct user, mail, 0, .highest = 254, .help = "Mail address"),
    TEXT_FIELD(struct user, apple_account, 0, .highest = 254,
               .help = "Managed Apple Account, where it is not the mail address"),
};
static const struct fields user_wish_fields = FIELDS(user_wish_rows);

struct user_made {
    char *id, *name, *password;
};
static const struct field user_made_rows[] = {
    TEXT_FIELD(struct user_made, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct user_made, name, FIELD_READ_ONLY, .help = "Name"),
    TEXT_FIELD(struct user_made, password, FIELD_READ_ONLY,
               .help = "For the first sign-in, which asks for a new one: shown this once"),
};
static const struct fields user_made_fields = FIELDS(user_made_rows);

static void reply_made(const struct request *request, struct reply *reply, int status,
                       const struct user *user, char *password)
{
    struct user_made made = {user->id, user->name, password};
    api_reply(request, reply, status, user_made_fields, &made);
}

static bool user_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct user wish = {0}, user;
    char *password;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_user_create(api_fleet(request), &actor, request->owner, &wish, &user, &password,
                           err))
        return false;
    reply_made(request, reply, 201, &user, password);
    return true;
}

/* ---- changed ---- */

struct user_change {
    char *name, *full_name, *mail, *apple_account, *reason;
};
static const struct field user_change_rows[] = {
    TEXT_FIELD(struct user_change, name, 0, .lowest = 1, .highest = 100,
               .help = "What the person types to sign in"),
    TEXT_FIELD(struct user_change, full_name, 0, .highest = 200,
               .help = "Name for people; empty: none"),
    TEXT_FIELD(struct user_change, mail, 0, .highest = 254, .help = "Mail address; empty: none"),
    TEXT_FIELD(struct user_change, apple_account, 0, .highest = 254,
               .help = "Managed Apple Account; empty: as the mail address"),
    TEXT_FIELD(struct user_change, reason, 0, .highest = 500, .help = "Why: for the audit log"),
};
static const struct fields user_change_fields = FIELDS(user_change_rows);

static bool user_change(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct user_change asked = {0};
    struct user user;
    if (!api_body(request, &asked, NULL, err))
        return false;
    actor.reason = asked.reason;
    const struct user wish = {.name = asked.name,
                              .full_name = asked.full_name,
                              .mail = asked.mail,
                              .apple_account = asked.apple_account};
    if (!fleet_user_edit(api_fleet(request), &actor, request->owner, request->params[0], &wish,
                         &user, err))
        return false;
    api_reply(request, reply, 200, user_fields, &user);
    return true;
}

static bool turn(struct request *request, struct reply *reply,
                 bool (*act)(struct fleet *, const struct actor *, void *, const char *,
                             struct user *, struct err *),
                 struct err *err)
{
    struct actor actor = api_actor(request);
    struct user user;
    if (!api_body_reason(request, &actor, err) ||
        !act(api_fleet(request), &actor, request->owner, request->params[0], &user, err))
        return false;
    api_reply(request, reply, 200, user_fields, &user);
    return true;
}

static bool user_disable(struct request *request, struct reply *reply, struct err *err)
{
    return turn(request, reply, fleet_user_disable, err);
}

static bool user_enable(struct request *request, struct reply *reply, struct err *err)
{
    return turn(request, reply, fleet_user_enable, err);
}

static bool user_password(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct user user;
    char *password;
    if (!api_body_reason(request, &actor, err) ||
        !fleet_user_reset(api_fleet(request), &actor, request->owner, request->params[0], &user,
                          &password, err))
        return false;
    reply_made(request, reply, 200, &user, password);
    return true;
}

static const struct route rows[] = {
    {HTTP_GET,
     API "/users",
     user_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "user_list",
     .summary = "List the people who carry devices",
     .permission = "user.read",
     .gives = &user_fields,
     .asks = &user_query_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/users",
     user_create,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "user_create",
     .summary = "Note a person who carries devices, with a one-time password",
     .permission = "user.write",
     .takes = &user_wish_fields,
     .gives = &user_made_fields,
     .flags = ROUTE_CREATES},
    {HTTP_GET,
     API "/users/{user}",
     user_get,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "user_get",
     .summary = "One person, by id, name, mail address or Apple account",
     .permission = "user.read",
     .gives = &user_fields},
    {HTTP_PATCH,
     API "/users/{user}",
     user_change,
     {need_account},
     DOOR_FRONT,
     8192,
     .name = "user_change",
     .summary = "Change a person's names and addresses",
     .permission = "user.write",
     .takes = &user_change_fields,
     .gives = &user_fields},
    {HTTP_POST,
     API "/users/{user}/disable",
     user_disable,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "user_disable",
     .summary = "Let a person enrol no more devices",
     .permission = "user.write",
     .takes = &reason_fields,
     .gives = &user_fields},
    {HTTP_POST,
     API "/users/{user}/enable",
     user_enable,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "user_enable",
     .summary = "Let a person enrol devices again",
     .permission = "user.write",
     .takes = &reason_fields,
     .gives = &user_fields},
    {HTTP_POST,
     API "/users/{user}/password",
     user_password,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "user_password",
     .summary = "Give a person another one-time password",
     .permission = "user.password",
     .takes = &reason_fields,
     .gives = &user_made_fields},
};
const struct routes user_routes = {rows, COUNT(rows)};
