/* SPDX-License-Identifier: Apache-2.0 */
/* Sign in and out, and API tokens. */
#include "api/answer.h"
#include "api/resources.h"
#include "fleet/account.h"

#define TOKEN_SECONDS (INT64_C(90) * 86400) /* of an API token, where no end is named */

struct credentials {
    char *name, *password, *new_password;
};
static const struct field credential_rows[] = {
    TEXT_FIELD(struct credentials, name, FIELD_REQUIRED, .lowest = 1, .highest = 100,
               .help = "Name of the account"),
    TEXT_FIELD(struct credentials, password, FIELD_REQUIRED | FIELD_SECRET, .lowest = 1,
               .highest = PASSWORD_LONGEST, .help = "Password"),
    TEXT_FIELD(struct credentials, new_password, FIELD_SECRET, .highest = PASSWORD_LONGEST,
               .help = "A new password: needed when the old one was for one time"),
};
static const struct fields credential_fields = FIELDS(credential_rows);

struct opened { /* a bearer secret, shown this once */
    char *id, *token, *name, *account;
    int role;
    int64_t expires_at;
};
static const struct field opened_rows[] = {
    TEXT_FIELD(struct opened, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct opened, token, FIELD_READ_ONLY,
               .help = "The secret for the Authorization header: shown this once"),
    TEXT_FIELD(struct opened, name, FIELD_READ_ONLY, .help = "Name of the token"),
    TEXT_FIELD(struct opened, account, FIELD_READ_ONLY, .help = "Name of the account"),
    ENUM_FIELD(struct opened, role, FIELD_READ_ONLY, role_names, .help = "Role"),
    TIME_FIELD(struct opened, expires_at, FIELD_READ_ONLY, .help = "When it ends"),
};
static const struct fields opened_fields = FIELDS(opened_rows);

static void reply_opened(const struct request *request, struct reply *reply,
                         const struct session *session)
{
    struct opened opened = {.id = session->token.id,
                            .token = session->secret,
                            .name = session->token.name,
                            .account = session->token.account_name,
                            .role = session->token.role,
                            .expires_at = session->token.expires_at};
    api_reply(request, reply, 201, opened_fields, &opened);
}

static bool session_create(struct request *request, struct reply *reply, struct err *err)
{
    struct credentials credentials = {0};
    struct session session;
    struct actor actor = api_actor(request);
    if (!api_body(request, &credentials, NULL, err))
        return false;
    struct sign_in sign_in = {credentials.name, credentials.password, credentials.new_password,
                              request->peer};
    if (!fleet_sign_in(api_fleet(request), &actor, request->owner, &sign_in, &session, err))
        return false;
    reply_opened(request, reply, &session);
    return true;
}

static bool session_delete(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    if (!fleet_token_revoke(api_fleet(request), &actor, actor.token_id, err))
        return false;
    reply_empty(reply, 204);
    return true;
}

/* ---- one's own password ---- */

static const struct field password_rows[] = {
    TEXT_FIELD(struct credentials, password, FIELD_REQUIRED | FIELD_SECRET, .lowest = 1,
               .highest = PASSWORD_LONGEST, .help = "The present password"),
    TEXT_FIELD(struct credentials, new_password, FIELD_REQUIRED | FIELD_SECRET, .lowest = 1,
               .highest = PASSWORD_LONGEST, .help = "The new one"),
};
static const struct fields password_fields = FIELDS(password_rows);

static bool password_change(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct credentials wish = {0};
    if (!api_body(request, &wish, NULL, err))
        return false;
    const struct sign_in own = {NULL, wish.password, wish.new_password, request->peer};
    if (!fleet_account_password(api_fleet(request), &actor, request->owner, &own, err))
        return false;
    reply_empty(reply, 204);
    return true;
}

/* ---- tokens ---- */

struct token_wish_body {
    char *name;
    int role;
    int64_t expires_at;
    bool never_expires;
};
static const struct field token_wish_rows[] = {
    TEXT_FIELD(struct token_wish_body, name, FIELD_REQUIRED, .lowest = 1, .highest = 100,
               .help = "What it is for"),
    ENUM_FIELD(struct token_wish_body, role, 0, role_names,
               .help = "Role: not above your own; auditor where none is named"),
    TIME_FIELD(struct token_wish_body, expires_at, 0, .help = "When it ends; absent: in 90 days"),
    BOOLEAN_FIELD(struct token_wish_body, never_expires, 0,
                  .help = "true: it has no end; not together with one"),
};
static const struct fields token_wish_fields = FIELDS(token_wish_rows);

static bool token_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct token_wish_body body = {.role = ROLE_AUDITOR};
    struct session session;
    if (!api_body(request, &body, NULL, err))
        return false;
    if (body.never_expires && body.expires_at)
        return err_at(err, ERR_BAD_INPUT, "/never_expires", "either an end or none");
    if (!body.never_expires && !body.expires_at)
        body.expires_at = request->now + TOKEN_SECONDS;
    struct token wish = {.name = body.name, .role = body.role, .expires_at = body.expires_at};
    if (!fleet_token_create(api_fleet(request), &actor, request->owner, &wish, &session, err))
        return false;
    reply_opened(request, reply, &session);
    return true;
}

static bool token_list(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct page page;
    struct list list;
    if (!api_page(request, &page, err) ||
        !fleet_token_list(api_fleet(request), &actor, request->owner, &page, &list, err))
        return false;
    api_reply_list(request, reply, token_fields, sizeof(struct token), &list);
    return true;
}

static bool token_delete(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    if (!fleet_token_revoke(api_fleet(request), &actor, request->params[0], err))
        return false;
    reply_empty(reply, 204);
    return true;
}

static const struct route rows[] = {
    {HTTP_POST,
     API "/sessions",
     session_create,
     {NULL},
     DOOR_FRONT,
     4096,
     .name = "session_create",
     .summary = "Sign in with name and password",
     .takes = &credential_fields,
     .gives = &opened_fields,
     .flags = ROUTE_CREATES},
    {HTTP_DELETE,
     API "/sessions/current",
     session_delete,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "session_delete",
     .summary = "Sign out",
     .permission = "self"},
    {HTTP_PUT,
     API "/password",
     password_change,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "password_change",
     .summary = "Change one's own password; the other sessions end",
     .permission = "self",
     .takes = &password_fields},
    {HTTP_GET,
     API "/tokens",
     token_list,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "token_list",
     .summary = "List sessions and API tokens",
     .permission = "token.read",
     .gives = &token_fields,
     .asks = &page_fields,
     .flags = ROUTE_GIVES_LIST},
    {HTTP_POST,
     API "/tokens",
     token_create,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "token_create",
     .summary = "Make an API token",
     .permission = "token.write",
     .takes = &token_wish_fields,
     .gives = &opened_fields,
     .flags = ROUTE_CREATES},
    {HTTP_DELETE,
     API "/tokens/{id}",
     token_delete,
     {need_account},
     DOOR_FRONT,
     0,
     .name = "token_delete",
     .summary = "Revoke a session or API token",
     .permission = "self"},
};
const struct routes session_routes = {rows, COUNT(rows)};
