/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/account.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/attempt.h"
#include "fleet/door.h"
#include "fleet/password.h"
#include "fleet/refusal.h"
#include "fleet/shared.h"
#include "fleet/token.h"
#include "store/store.h"

/* ---- one-time passwords ---- */

struct resetting {
    void *owner;
    const char *name, *role, *hash, *id;
    int64_t now;
};

static bool reset_run(struct db *tx, void *context, struct err *err)
{
    const struct resetting *r = context;
    struct account account = {0};
    bool found = false;
    if (!store_find(tx, r->owner, ASK(ACCOUNT_BY_NAME, TEXT(r->name)), account_fields, &account,
                    &found, err))
        return false;
    if (!found)
        return store_change(tx,
                            ASK(ACCOUNT_INSERT, TEXT(r->id), TEXT(r->name),
                                TEXT(r->role ? r->role : role_names[ROLE_ADMINISTRATOR]),
                                TEXT(r->hash), INTEGER(1), INTEGER(r->now)),
                            NULL, err);
    if (account.disabled_at) {
        (void)err_set(err, ERR_PRECONDITION, "%s is disabled", r->name);
        err->remedy = "muster account enable NAME, or on the server musterd admin NAME --enable";
        return false;
    }
    if (r->role && strcmp(r->role, role_names[account.role]) != 0)
        return err_set(err, ERR_CONFLICT, "%s has the role %s already", r->name,
                       role_names[account.role]);
    return store_change(tx, ASK(ACCOUNT_SET_PASSWORD, TEXT(account.id), TEXT(r->hash), INTEGER(1)),
                        NULL, err) &&
           store_change(tx, ASK(TOKEN_REVOKE_ALL, TEXT(account.id), INTEGER(r->now)), NULL, err);
}

bool fleet_account_reset(struct fleet *fleet, const struct actor *actor, void *owner,
                         const char *name, const char *role, char **password, struct err *err)
{
    char *hash = NULL, *secret = password_once(owner);
    if (actor->kind != ACTOR_SYSTEM)
        return err_set(err, ERR_FORBIDDEN, "only the server's own command line gives passwords");
    if (text_is_blank(name) || text_length(name) > 100)
        return err_set(err, ERR_BAD_INPUT, "a name has 1 to 100 characters");
    if (!password_hash(fleet, owner, secret, &hash, err))
        return false;
    struct resetting resetting = {owner, name, role, hash, id_make(owner), actor->now};
    struct change change = {.actor = actor,
                            .action = "account.reset",
                            .subject_kind = "account",
                            .subject_id = name,
                            .work = reset_run,
                            .context = &resetting};
    if (!fleet_change(fleet, &change, err))
        return false;
    *password = secret;
    return true;
}

/* ---- sign in ---- */

struct replacing {
    const struct account *account;
    const char *hash, *token_id; /* NULL: none of its sessions stays */
    int64_t now;
};

/* A new password that its owner chose ends the other sessions. */
static bool password_replace(struct db *tx, const struct replacing *r, struct err *err)
{
    const char *id = r->account->id;
    return store_change(tx, ASK(ACCOUNT_SET_PASSWORD, TEXT(id), TEXT(r->hash), INTEGER(0)), NULL,
                        err) &&
           store_change(tx,
                        ASK(TOKEN_REVOKE_OF_ACCOUNT, TEXT(id), INTEGER(r->now),
                            TEXT(r->token_id ? r->token_id : "")),
                        NULL, err);
}

/* What ends an account or its password meanwhile waits for us; ERR_UNAUTHENTICATED: it came first.
 */
static bool account_hold(struct db *tx, const struct account *account, struct err *err)
{
    int64_t held = 0;
    if (!store_change(tx, ASK(ACCOUNT_HOLD, TEXT(account->id), TEXT(account->password_hash)), &held,
                      err))
        return false;
    return held > 0 || err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
}

struct signing_in {
    const struct account *account;
    const char *new_hash; /* NULL: unchanged */
    const struct token_wish *wish;
};

/* The password was right when it was looked at. Who gives another one, or ends the account, ends
 * the sessions that there are: one that comes after that must not be. */
static bool sign_in_run(struct db *tx, void *context, struct err *err)
{
    const struct signing_in *s = context;
    const struct replacing replacing = {s->account, s->new_hash, NULL, s->wish->created_at};
    return account_hold(tx, s->account, err) &&
           (!s->new_hash || password_replace(tx, &replacing, err)) &&
           token_insert(tx, s->wish, err);
}

struct wrong { /* an attempt that failed */
    const struct sign_in *sign_in;
    const struct account *account; /* id NULL: there is none of this name */
    int64_t now;
};

static bool wrong_run(struct db *tx, void *context, struct err *err)
{
    const struct wrong *w = context;
    const char *reason = !w->account->id           ? "there is no such account"
                         : w->account->disabled_at ? "the account is disabled"
                                                   : "the password is wrong";
    CLEANUP(mem_free_at)
    char *detail = json_pairs(NULL, "reason", reason, "account", w->account->name, "peer",
                              w->sign_in->peer, NULL);
    char peer[REFUSAL_PEER_SIZE];
    refusal_peer(w->sign_in->peer, peer);
    const struct refusal_wish wish = {.kind = "sign_in.refused",
                                      .peer = peer,
                                      .subject = w->account->name,
                                      .detail = detail,
                                      .now = w->now};
    return refusal_add(tx, &wish, err);
}

/* Counted; a name that is no account's is not kept: people type passwords there. */
static bool sign_in_refused(struct fleet *fleet, const struct actor *actor,
                            const struct sign_in *sign_in, const struct account *account,
                            struct err *err)
{
    struct err ignored; /* the refusal is what the caller needs to hear */
    struct wrong wrong = {sign_in, account, actor->now};
    const struct change change = {.actor = actor, .work = wrong_run, .context = &wrong};
    bool kept = fleet_change(fleet, &change, &ignored);
    (void)kept;
    return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
}

/* The account, or the same answer after the same work for a wrong name and a wrong password. */
static bool account_checked(struct fleet *fleet, const struct actor *actor, void *owner,
                            const struct sign_in *sign_in, struct account *account, struct err *err)
{
    bool found = false;
    if (!store_find(fleet->db, owner, ASK(ACCOUNT_BY_NAME, TEXT(sign_in->name)), account_fields,
                    account, &found, err))
        return false;
    bool known = found && !account->disabled_at, right = false;
    char *unused = NULL;
    if (known ? !password_matches(fleet, account->password_hash, sign_in->password, &right, err)
              : !password_hash(fleet, owner, sign_in->password, &unused, err))
        return false;
    return (known && right) || sign_in_refused(fleet, actor, sign_in, account, err);
}

static bool account_signed_in(struct fleet *fleet, const struct actor *actor, void *owner,
                              const struct sign_in *sign_in, struct account *account,
                              struct err *err)
{
    struct attempts *attempts = fleet->shared->attempts;
    struct attempt attempt = {.address = sign_in->peer, .name = sign_in->name, .now = actor->now};
    if (!attempt_take(attempts, &attempt, err))
        return false;
    bool right = account_checked(fleet, actor, owner, sign_in, account, err);
    if (right || err->kind != ERR_UNAUTHENTICATED)
        attempt_give_back(attempts, &attempt);
    if (right)
        attempt_remember(attempts, &attempt);
    return right;
}

bool fleet_sign_in(struct fleet *fleet, const struct actor *actor, void *owner,
                   const struct sign_in *sign_in, struct session *out, struct err *err)
{
    struct account account = {0};
    if (text_length(sign_in->name) > 100 || text_length(sign_in->password) > PASSWORD_LONGEST)
        return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
    if (!account_signed_in(fleet, actor, owner, sign_in, &account, err))
        return false;
    if (account.must_change && !sign_in->new_password)
        return err_set(err, ERR_PRECONDITION, "this password was for one time: choose a new one");
    if (sign_in->new_password && !password_check(sign_in->new_password, sign_in->password, err))
        return false;
    struct token wish = {.account_id = account.id,
                         .name = mem_text(owner, "session"),
                         .kind = mem_text(owner, "session"),
                         .role = account.role,
                         .expires_at = actor->now + fleet->settings->session_seconds};
    struct token_wish made;
    char *new_hash = NULL;
    if (sign_in->new_password &&
        !password_hash(fleet, owner, sign_in->new_password, &new_hash, err))
        return false;
    if (!token_prepare(fleet, owner, &wish, actor->now, &made, err))
        return false;
    struct signing_in signing_in = {&account, new_hash, &made};
    struct actor who = *actor;
    who.kind = ACTOR_ACCOUNT;
    who.id = account.id;
    who.name = account.name;
    struct change change = {.actor = &who,
                            .action = "session.create",
                            .subject_kind = "account",
                            .subject_id = account.id,
                            .work = sign_in_run,
                            .context = &signing_in,
                            .detail = json_pairs(owner, "peer", sign_in->peer, NULL)};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = (struct session){made.secret, made.token};
    out->token.account_name = account.name;
    return true;
}

/* ---- one's own password ---- */

static bool password_run(struct db *tx, void *context, struct err *err)
{
    const struct replacing *r = context;
    return account_hold(tx, r->account, err) && password_replace(tx, r, err);
}

/* 401 would say that the session has ended. */
static bool old_password_wrong(struct err *err)
{
    return err->kind == ERR_UNAUTHENTICATED
               ? err_at(err, ERR_FORBIDDEN, "/password", "the present password is wrong")
               : false;
}

bool fleet_account_password(struct fleet *fleet, const struct actor *actor, void *owner,
                            const struct sign_in *sign_in, struct err *err)
{
    struct account account = {0};
    struct sign_in own = *sign_in;
    char *hash = NULL;
    own.name = actor->name;
    if (actor->kind != ACTOR_ACCOUNT)
        return err_set(err, ERR_FORBIDDEN, "only people have passwords");
    if (!password_check(own.new_password, own.password, err))
        return false;
    if (text_length(own.password) > PASSWORD_LONGEST)
        return err_at(err, ERR_FORBIDDEN, "/password", "the present password is wrong");
    if (!account_signed_in(fleet, actor, owner, &own, &account, err))
        return old_password_wrong(err);
    if (!password_hash(fleet, owner, own.new_password, &hash, err))
        return false;
    struct replacing replacing = {&account, hash, actor->token_id, actor->now};
    const struct change change = {.actor = actor,
                                  .action = "account.password",
                                  .permission = "self",
                                  .subject_kind = "account",
                                  .subject_id = account.id,
                                  .work = password_run,
                                  .context = &replacing,
                                  .detail = json_pairs(owner, "peer", own.peer, NULL)};
    return fleet_change(fleet, &change, err) || old_password_wrong(err);
}
