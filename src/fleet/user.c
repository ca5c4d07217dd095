/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/user.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "fleet/password.h"
#include "store/store.h"

bool fleet_user_list(struct fleet *fleet, const struct actor *actor, void *owner, const char *text,
                     const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {
        .fields = user_fields, .item_size = sizeof(struct user), .permission = "user.read"};
    const char *part = text ? list_like(owner, text_fold(owner, text)) : NULL;
    return list_read(fleet, actor, owner,
                     ASK(USER_LIST, TEXT(page->cursor), TEXT(part), INTEGER(page->limit + 1)), page,
                     &listing, out, err);
}

static bool user_find(struct db *db, void *owner, const char *which, struct user *out,
                      struct err *err)
{
    const struct want want = {"user", user_fields};
    struct user user = {0};
    if (!store_get(db, owner, ASK(USER_FIND, TEXT(which), TEXT(text_fold(owner, which))), want,
                   &user, err))
        return false;
    *out = user;
    return true;
}

bool fleet_user_get(struct fleet *fleet, const struct actor *actor, void *owner, const char *which,
                    struct user *out, struct err *err)
{
    return fleet_need(actor, "user.read", err) && user_find(fleet->db, owner, which, out, err);
}

/* ---- made and edited ---- */

struct saving {
    void *owner;
    const char *id;          /* of a new one; of the one that is edited */
    const struct user *wish; /* texts may be NULL */
    const char *hash;        /* of a new one */
    int64_t now;
};

static const char *folded(void *owner, const char *text)
{
    return text ? text_fold(owner, text) : NULL;
}

/* "" is nothing. */
static char *wished(char *text)
{
    return text && *text ? text : NULL;
}

static bool is_free(struct db *tx, const struct saving *s, const struct user *user, struct err *err)
{
    static const struct {
        const char *column, *where, *what;
    } places[] = {{"name_folded", "/name", "name"},
                  {"mail_folded", "/mail", "mail address"},
                  {"apple_account_folded", "/apple_account", "Apple account"}};
    const char *const values[] = {folded(s->owner, user->name), folded(s->owner, user->mail),
                                  folded(s->owner, user->apple_account)};
    struct rows *rows = NULL;
    if (!store_rows(tx, s->owner,
                    ASK(USER_TAKEN, TEXT(s->id), TEXT(values[0]), TEXT(values[1]), TEXT(values[2])),
                    &rows, err))
        return false;
    for (size_t i = 0; rows->count && i < COUNT(places); i++)
        if (values[i] && text_equal(rows_text(rows, 0, places[i].column), values[i]))
            return err_at(err, ERR_CONFLICT, places[i].where, "another user has this %s",
                          places[i].what);
    return true;
}

static bool create_run(struct db *tx, void *context, struct err *err)
{
    const struct saving *s = context;
    struct user user = *s->wish;
    user.full_name = wished(user.full_name);
    user.mail = wished(user.mail);
    user.apple_account = wished(user.apple_account);
    return is_free(tx, s, &user, err) &&
           store_change(tx,
                        ASK(USER_INSERT, TEXT(s->id), TEXT(user.name),
                            TEXT(folded(s->owner, user.name)), TEXT(user.full_name),
                            TEXT(user.mail), TEXT(folded(s->owner, user.mail)),
                            TEXT(user.apple_account), TEXT(folded(s->owner, user.apple_account)),
                            TEXT(s->hash), INTEGER(s->now)),
                        NULL, err);
}

static struct change change_of(const struct actor *actor, const char *action, const char *id)
{
    return (struct change){.actor = actor,
                           .action = action,
                           .permission = "user.write",
                           .subject_kind = "user",
                           .subject_id = id};
}

bool fleet_user_create(struct fleet *fleet, const struct actor *actor, void *owner,
                       const struct user *wish, struct user *out, char **password, struct err *err)
{
    char *hash = NULL, *secret = password_once(owner);
    if (!fleet_need(actor, "user.write", err) || !password_hash(fleet, owner, secret, &hash, err))
        return false;
    struct saving saving = {owner, id_make(owner), wish, hash, actor->now};
    struct change change = change_of(actor, "user.create", saving.id);
    change.detail = json_pairs(owner, "name", wish->name, "mail", wish->mail, NULL);
    change.work = create_run;
    change.context = &saving;
    if (!fleet_change(fleet, &change, err) || !user_find(fleet->db, owner, saving.id, out, err))
        return false;
    *password = secret;
    return true;
}

static bool edit_run(struct db *tx, void *context, struct err *err)
{
    const struct saving *s = context;
    const struct user *wish = s->wish;
    struct user user = {0};
    if (!user_find(tx, s->owner, s->id, &user, err))
        return false;
    user.name = wish->name ? wish->name : user.name;
    user.full_name = wish->full_name ? wished(wish->full_name) : user.full_name;
    user.mail = wish->mail ? wished(wish->mail) : user.mail;
    user.apple_account = wish->apple_account ? wished(wish->apple_account) : user.apple_account;
    return is_free(tx, s, &user, err) &&
           store_change_one(
               tx,
               ASK(USER_UPDATE, TEXT(user.id), TEXT(user.name), TEXT(folded(s->owner, user.name)),
                   TEXT(user.full_name), TEXT(user.mail), TEXT(folded(s->owner, user.mail)),
                   TEXT(user.apple_account), TEXT(folded(s->owner, user.apple_account))),
               "the user has changed meanwhile", err);
}

bool fleet_user_edit(struct fleet *fleet, const struct actor *actor, void *owner, const char *which,
                     const struct user *wish, struct user *out, struct err *err)
{
    struct user user;
    if (!fleet_need(actor, "user.write", err) || !user_find(fleet->db, owner, which, &user, err))
        return false;
    struct saving saving = {.owner = owner, .id = user.id, .wish = wish, .now = actor->now};
    struct change change = change_of(actor, "user.edit", user.id);
    change.detail = json_pairs(owner, "name_before", user.name, "name", wish->name, "mail",
                               wish->mail, "apple_account", wish->apple_account, NULL);
    change.work = edit_run;
    change.context = &saving;
    return fleet_change(fleet, &change, err) && user_find(fleet->db, owner, user.id, out, err);
}

/* ---- ended, and let in again ---- */

struct turning {
    const struct user *user; /* as it was read before */
    int64_t disabled_at;     /* 0: enabled */
    int64_t now;
};

/* What was begun by signing in ends: sign-ins, and what they led to but was not used. */
static bool visits_end(struct db *tx, const char *user_id, int64_t now, struct err *err)
{
    return store_change(tx, ASK(VISIT_END_OF_USER, TEXT(user_id), INTEGER(now)), NULL, err) &&
           store_change(tx, ASK(ENROLMENT_LINK_REVOKE_OF_USER, TEXT(user_id), INTEGER(now)), NULL,
                        err);
}

static bool turn_run(struct db *tx, void *context, struct err *err)
{
    const struct turning *t = context;
    return store_change_one(tx,
                            ASK(USER_SET_DISABLED, TEXT(t->user->id), TIME(t->disabled_at),
                                TIME(t->user->disabled_at)),
                            "the user has changed meanwhile", err) &&
           visits_end(tx, t->user->id, t->now, err);
}

static bool turn(struct fleet *fleet, void *owner, struct change *change,
                 const struct turning *turning, struct user *out, struct err *err)
{
    struct turning context = *turning;
    change->detail = json_pairs(owner, "name", turning->user->name, NULL);
    change->work = turn_run;
    change->context = &context;
    return fleet_change(fleet, change, err) &&
           user_find(fleet->db, owner, turning->user->id, out, err);
}

bool fleet_user_disable(struct fleet *fleet, const struct actor *actor, void *owner,
                        const char *which, struct user *out, struct err *err)
{
    struct user user;
    if (!fleet_need(actor, "user.write", err) || !user_find(fleet->db, owner, which, &user, err))
        return false;
    if (user.disabled_at)
        return err_set(err, ERR_PRECONDITION, "%s is disabled already", user.name);
    const struct turning turning = {&user, actor->now, actor->now};
    struct change change = change_of(actor, "user.disable", user.id);
    return turn(fleet, owner, &change, &turning, out, err);
}

bool fleet_user_enable(struct fleet *fleet, const struct actor *actor, void *owner,
                       const char *which, struct user *out, struct err *err)
{
    struct user user;
    if (!fleet_need(actor, "user.write", err) || !user_find(fleet->db, owner, which, &user, err))
        return false;
    if (!user.disabled_at)
        return err_set(err, ERR_PRECONDITION, "%s is not disabled", user.name);
    const struct turning turning = {&user, 0, actor->now};
    struct change change = change_of(actor, "user.enable", user.id);
    return turn(fleet, owner, &change, &turning, out, err);
}

/* ---- another password ---- */

static bool reset_run(struct db *tx, void *context, struct err *err)
{
    const struct saving *s = context;
    return store_change_one(tx, ASK(USER_SET_PASSWORD, TEXT(s->id), TEXT(s->hash), INTEGER(1)),
                            "there is no such user any more", err) &&
           visits_end(tx, s->id, s->now, err);
}

bool fleet_user_reset(struct fleet *fleet, const struct actor *actor, void *owner,
                      const char *which, struct user *out, char **password, struct err *err)
{
    char *hash = NULL, *secret = password_once(owner);
    struct user user;
    if (!fleet_need(actor, "user.password", err) ||
        !user_find(fleet->db, owner, which, &user, err) ||
        !password_hash(fleet, owner, secret, &hash, err))
        return false;
    struct saving saving = {.owner = owner, .id = user.id, .hash = hash, .now = actor->now};
    struct change change = change_of(actor, "user.password", user.id);
    change.permission = "user.password";
    change.detail = json_pairs(owner, "name", user.name, NULL);
    change.work = reset_run;
    change.context = &saving;
    if (!fleet_change(fleet, &change, err) || !user_find(fleet->db, owner, user.id, out, err))
        return false;
    *password = secret;
    return true;
}

/* ---- whose a device is ---- */

struct giving {
    const char *device_id, *user_id;
};

static bool give_run(struct db *tx, void *context, struct err *err)
{
    const struct giving *g = context;
    return store_change_one(tx, ASK(DEVICE_SET_USER, TEXT(g->device_id), TEXT(g->user_id)),
                            "there is no such device any more", err);
}

bool fleet_device_set_user(struct fleet *fleet, const struct actor *actor,
                           const struct device *device, const char *which, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct user user = {0};
    if (!fleet_need(actor, "device.set_user", err))
        return false;
    if (*which && !user_find(fleet->db, owner, which, &user, err))
        return err->kind == ERR_NOT_FOUND
                   ? err_at(err, ERR_BAD_INPUT, "/user", "there is no such user")
                   : false;
    struct giving giving = {device->id, user.id};
    struct change change = change_of(actor, "device.set_user", device->id);
    change.permission = "device.set_user";
    change.subject_kind = "device";
    change.detail = json_pairs(owner, "device", device->name, "user_before", device->user_name,
                               "user", user.name, NULL);
    change.work = give_run;
    change.context = &giving;
    return fleet_change(fleet, &change, err);
}
