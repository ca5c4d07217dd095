/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/roster.h"

#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "fleet/password.h"
#include "store/store.h"

bool fleet_account_list(struct fleet *fleet, const struct actor *actor, void *owner,
                        const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = account_fields,
                              .item_size = sizeof(struct account),
                              .permission = "account.read"};
    return list_read(fleet, actor, owner,
                     ASK(ACCOUNT_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page,
                     &listing, out, err);
}

static bool account_find(struct db *db, void *owner, const char *which, struct account *out,
                         struct err *err)
{
    const struct want want = {"account", account_fields};
    struct account account = {0};
    if (!store_get(db, owner, ASK(ACCOUNT_FIND, TEXT(which)), want, &account, err))
        return false;
    *out = account;
    return true;
}

bool fleet_account_get(struct fleet *fleet, const struct actor *actor, void *owner,
                       const char *which, struct account *out, struct err *err)
{
    return fleet_need(actor, "account.read", err) &&
           account_find(fleet->db, owner, which, out, err);
}

/* ---- made ---- */

struct creation {
    const char *id, *name, *role, *hash;
    int64_t now;
};

static bool create_run(struct db *tx, void *context, struct err *err)
{
    const struct creation *c = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK(ACCOUNT_BY_NAME, TEXT(c->name)), &rows, err))
        return false;
    if (rows->count > 0)
        return err_at(err, ERR_CONFLICT, "/name", "there is an account %s", c->name);
    return store_change(tx,
                        ASK(ACCOUNT_INSERT, TEXT(c->id), TEXT(c->name), TEXT(c->role),
                            TEXT(c->hash), INTEGER(1), INTEGER(c->now)),
                        NULL, err);
}

bool fleet_account_create(struct fleet *fleet, const struct actor *actor, void *owner,
                          const struct account *wish, struct account *out, char **password,
                          struct err *err)
{
    char *hash = NULL, *secret = password_once(owner);
    if (!fleet_need(actor, "account.write", err) ||
        !password_hash(fleet, owner, secret, &hash, err))
        return false;
    const char *role = role_names[wish->role];
    struct creation creation = {id_make(owner), wish->name, role, hash, actor->now};
    const struct change change = {.actor = actor,
                                  .action = "account.create",
                                  .permission = "account.write",
                                  .subject_kind = "account",
                                  .subject_id = creation.id,
                                  .detail =
                                      json_pairs(owner, "name", wish->name, "role", role, NULL),
                                  .work = create_run,
                                  .context = &creation};
    if (!fleet_change(fleet, &change, err) ||
        !account_find(fleet->db, owner, creation.id, out, err))
        return false;
    *password = secret;
    return true;
}

/* ---- another password ---- */

static bool give_run(struct db *tx, void *context, struct err *err)
{
    const struct creation *c = context;
    return store_change_one(tx, ASK(ACCOUNT_SET_PASSWORD, TEXT(c->id), TEXT(c->hash), INTEGER(1)),
                            "there is no such account any more", err) &&
           store_change(tx, ASK(TOKEN_REVOKE_ALL, TEXT(c->id), INTEGER(c->now)), NULL, err);
}

static bool can_be_given(const struct account *account, const struct actor *actor, struct err *err)
{
    if (text_equal(account->id, actor->id)) {
        (void)err_set(err, ERR_PRECONDITION, "%s is the account that asks", account->name);
        err->remedy = "change your own password: muster account password";
        return false;
    }
    if (account->disabled_at) {
        (void)err_set(err, ERR_PRECONDITION, "%s is disabled", account->name);
        err->remedy = "enable it first: muster account enable NAME";
        return false;
    }
    return true;
}

bool fleet_account_give_password(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const char *which, struct account *out, char **password,
                                 struct err *err)
{
    char *hash = NULL, *secret = password_once(owner);
    struct account account;
    if (!fleet_need(actor, "account.write", err) ||
        !account_find(fleet->db, owner, which, &account, err) ||
        !can_be_given(&account, actor, err) || !password_hash(fleet, owner, secret, &hash, err))
        return false;
    struct creation giving = {.id = account.id, .hash = hash, .now = actor->now};
    const struct change change = {.actor = actor,
                                  .action = "account.reset",
                                  .permission = "account.write",
                                  .subject_kind = "account",
                                  .subject_id = account.id,
                                  .detail = json_pairs(owner, "name", account.name, NULL),
                                  .work = give_run,
                                  .context = &giving};
    if (!fleet_change(fleet, &change, err) || !account_find(fleet->db, owner, account.id, out, err))
        return false;
    *password = secret;
    return true;
}

/* ---- changed ---- */

struct turning {
    const struct account *account; /* as it was read before */
    const char *role;              /* another one; NULL: stays */
    int64_t disabled_at;           /* 0: enabled */
    int64_t now;
};

/* Both of two who disable each other at once must not succeed: the rows of all administrators are
 * held from here to the commit. */
static bool somebody_stays(struct db *tx, const struct turning *t, struct err *err)
{
    int64_t others = 0;
    const struct account *before = t->account;
    bool was = before->role == ROLE_ADMINISTRATOR && !before->disabled_at;
    bool stays = t->disabled_at == 0 && !t->role;
    if (!was || stays)
        return true;
    if (!store_change(tx, ASK_ALL(ACCOUNT_HOLD_ADMINISTRATORS), NULL, err) ||
        !store_number(tx, ASK(ACCOUNT_OTHER_ADMINISTRATORS, TEXT(t->account->id)), "count", &others,
                      err))
        return false;
    if (others > 0)
        return true;
    (void)err_set(err, ERR_PRECONDITION, "%s is the last enabled administrator", t->account->name);
    err->remedy =
        "make another administrator first: muster account create NAME --role administrator";
    return false;
}

static bool turn_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    const char *id = t->account->id;
    return somebody_stays(tx, t, err) &&
           store_change_one(tx,
                            ASK(ACCOUNT_SET_STATE, TEXT(id),
                                TEXT(t->role ? t->role : role_names[t->account->role]),
                                TIME(t->disabled_at), TEXT(role_names[t->account->role]),
                                TIME(t->account->disabled_at)),
                            "the account has changed meanwhile", err) &&
           store_change(tx, ASK(TOKEN_REVOKE_ALL, TEXT(id), INTEGER(t->now)), NULL, err);
}

static bool turn(struct fleet *fleet, const struct actor *actor, void *owner,
                 const struct turning *turning, const char *action, struct account *out,
                 struct err *err)
{
    struct turning context = *turning;
    const struct account *before = turning->account;
    const char *role = turning->role ? turning->role : role_names[before->role];
    const struct change change = {.actor = actor,
                                  .action = action,
                                  .permission = "account.write",
                                  .subject_kind = "account",
                                  .subject_id = before->id,
                                  .detail =
                                      json_pairs(owner, "name", before->name, "role_before",
                                                 role_names[before->role], "role", role, NULL),
                                  .work = turn_run,
                                  .context = &context};
    return fleet_change(fleet, &change, err) &&
           account_find(fleet->db, owner, before->id, out, err);
}

bool fleet_account_set_role(struct fleet *fleet, const struct actor *actor, void *owner,
                            const char *which, enum role role, struct account *out, struct err *err)
{
    struct account account;
    if (!fleet_need(actor, "account.write", err) ||
        !account_find(fleet->db, owner, which, &account, err))
        return false;
    if (account.role == (int)role) {
        *out = account;
        return true;
    }
    const struct turning turning = {&account, role_names[role], account.disabled_at, actor->now};
    return turn(fleet, actor, owner, &turning, "account.role", out, err);
}

bool fleet_account_disable(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *which, struct account *out, struct err *err)
{
    struct account account;
    if (!fleet_need(actor, "account.write", err) ||
        !account_find(fleet->db, owner, which, &account, err))
        return false;
    if (account.disabled_at)
        return err_set(err, ERR_PRECONDITION, "%s is disabled already", account.name);
    if (text_equal(account.id, actor->id)) {
        (void)err_set(err, ERR_PRECONDITION, "%s is your own account", account.name);
        err->remedy = "let another administrator disable it";
        return false;
    }
    const struct turning turning = {&account, NULL, actor->now, actor->now};
    return turn(fleet, actor, owner, &turning, "account.disable", out, err);
}

bool fleet_account_enable(struct fleet *fleet, const struct actor *actor, void *owner,
                          const char *which, struct account *out, struct err *err)
{
    struct account account;
    if (!fleet_need(actor, "account.write", err) ||
        !account_find(fleet->db, owner, which, &account, err))
        return false;
    if (!account.disabled_at)
        return err_set(err, ERR_PRECONDITION, "%s is not disabled", account.name);
    const struct turning turning = {&account, NULL, 0, actor->now};
    return turn(fleet, actor, owner, &turning, "account.enable", out, err);
}
