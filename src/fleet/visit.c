/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/visit.h"

#include "base/id.h"
#include "base/text.h"
#include "fleet/account.h"
#include "fleet/attempt.h"
#include "fleet/door.h"
#include "fleet/link.h"
#include "fleet/password.h"
#include "fleet/refusal.h"
#include "fleet/shared.h"
#include "pki/keyd.h"
#include "store/store.h"

#define SECRET_BITS 160

static bool secret_mac(struct fleet *fleet, const char *use, const char *secret, uint8_t mac[32],
                       struct err *err)
{
    CLEANUP(mem_free_at) char *text = mem_format(NULL, "%s %s", use, secret);
    bool made = keyd_mac(fleet->keyd, KEYD_MAC_SESSION, bytes_text(text), mac, err);
    bytes_wipe(text, strlen(text));
    return made;
}

bool fleet_visit_form(struct fleet *fleet, void *owner, const char *secret, char **out,
                      struct err *err)
{
    uint8_t mac[32];
    if (!secret_mac(fleet, "form", secret, mac, err))
        return false;
    *out = text_hex(owner, BYTES_OF(mac));
    return true;
}

/* ---- sign in ---- */

struct beginning {
    const struct visit_wish *wish;
    const struct user *user;
    const char *id;
    uint8_t mac[32];
    int64_t now;
};

static bool begin_run(struct db *tx, void *context, struct err *err)
{
    const struct beginning *b = context;
    int64_t held = 0;
    if (!store_change(tx, ASK(USER_HOLD, TEXT(b->user->id), TEXT(b->user->password_hash)), &held,
                      err))
        return false;
    if (held == 0)
        return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
    return store_change(tx,
                        ASK(VISIT_INSERT, TEXT(b->id), BYTES(BYTES_OF(b->mac)), TEXT(b->user->id),
                            TEXT(b->wish->way), INTEGER(b->now), INTEGER(b->now + VISIT_SECONDS)),
                        NULL, err);
}

struct wrong { /* an attempt that failed */
    const struct visit_wish *wish;
    const struct user *user; /* id NULL: there is none of this name */
    int64_t now;
};

static bool wrong_run(struct db *tx, void *context, struct err *err)
{
    const struct wrong *w = context;
    const char *reason = !w->user->id           ? "there is no such user"
                         : w->user->disabled_at ? "the user is disabled"
                                                : "the password is wrong";
    CLEANUP(mem_free_at)
    char *detail = json_pairs(NULL, "reason", reason, "user", w->user->name, "way", w->wish->way,
                              "peer", w->wish->peer, NULL);
    char peer[REFUSAL_PEER_SIZE];
    refusal_peer(w->wish->peer, peer);
    const struct refusal_wish refusal = {.kind = "user_sign_in.refused",
                                         .peer = peer,
                                         .subject = w->user->name,
                                         .detail = detail,
                                         .now = w->now};
    return refusal_add(tx, &refusal, err);
}

static bool refused(struct fleet *fleet, const struct actor *actor, const struct visit_wish *wish,
                    const struct user *user, struct err *err)
{
    struct err ignored; /* the refusal is what the caller needs to hear */
    struct wrong wrong = {wish, user, actor->now};
    const struct change change = {.actor = actor, .work = wrong_run, .context = &wrong};
    bool kept = fleet_change(fleet, &change, &ignored);
    (void)kept;
    return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
}

/* The user, or the same answer after the same work for a wrong name and a wrong password. People of
 * a directory have no password here: theirs is to be asked for at this place. */
static bool user_checked(struct fleet *fleet, const struct actor *actor, void *owner,
                         const struct visit_wish *wish, struct user *user, struct err *err)
{
    bool found = false, right = false;
    char *unused = NULL;
    if (!store_find(fleet->db, owner, ASK(USER_FIND, TEXT(""), TEXT(text_fold(owner, wish->name))),
                    user_fields, user, &found, err))
        return false;
    bool known = found && !user->disabled_at && user->password_hash;
    if (known ? !password_matches(fleet, user->password_hash, wish->password, &right, err)
              : !password_hash(fleet, owner, wish->password, &unused, err))
        return false;
    return right || refused(fleet, actor, wish, user, err);
}

/* Names of users have budgets of their own, apart from those of accounts. */
static bool user_signed_in(struct fleet *fleet, const struct actor *actor, void *owner,
                           const struct visit_wish *wish, struct user *user, struct err *err)
{
    struct attempts *attempts = fleet->shared->attempts;
    const char *name = mem_format(owner, "user %s", text_fold(owner, wish->name));
    struct attempt attempt = {.address = wish->peer, .name = name, .now = actor->now};
    if (!attempt_take(attempts, &attempt, err))
        return false;
    bool right = user_checked(fleet, actor, owner, wish, user, err);
    if (right || err->kind != ERR_UNAUTHENTICATED)
        attempt_give_back(attempts, &attempt);
    if (right)
        attempt_remember(attempts, &attempt);
    return right;
}

bool fleet_visit_begin(struct fleet *fleet, const struct actor *actor, void *owner,
                       const struct visit_wish *wish, char **secret, struct err *err)
{
    struct user user = {0};
    if (text_length(wish->name) > 254 || text_length(wish->password) > PASSWORD_LONGEST)
        return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
    if (!user_signed_in(fleet, actor, owner, wish, &user, err))
        return false;
    char *made = random_text(owner, SECRET_BITS);
    struct beginning beginning = {
        .wish = wish, .user = &user, .id = id_make(owner), .now = actor->now};
    if (!secret_mac(fleet, "visit", made, beginning.mac, err))
        return false;
    struct actor who = *actor;
    who.kind = ACTOR_USER;
    who.id = user.id;
    who.name = user.name;
    const struct change change = {.actor = &who,
                                  .action = "visit.create",
                                  .subject_kind = "user",
                                  .subject_id = user.id,
                                  .detail =
                                      json_pairs(owner, "way", wish->way, "peer", wish->peer, NULL),
                                  .work = begin_run,
                                  .context = &beginning};
    if (!fleet_change(fleet, &change, err))
        return false;
    *secret = made;
    return true;
}

/* ---- how far ---- */

static const struct field visit_rows[] = {
    TEXT_FIELD(struct visit, id, 0),         TEXT_FIELD(struct visit, user_id, 0),
    TEXT_FIELD(struct visit, way, 0),        TEXT_FIELD(struct visit, ownership, 0),
    TIME_FIELD(struct visit, created_at, 0), TIME_FIELD(struct visit, expires_at, 0),
};

static bool terms_wanted(struct db *db, void *owner, const char *user_id, struct terms *out,
                         bool *wanted, struct err *err)
{
    int64_t accepted = 0;
    bool found = false;
    if (!store_find(db, owner, ASK_ALL(TERMS_CURRENT), terms_fields, out, &found, err) ||
        (found && !store_number(db, ASK(TERMS_ACCEPTED, TEXT(user_id), INTEGER(out->version)),
                                "count", &accepted, err)))
        return false;
    *wanted = found && accepted == 0;
    return true;
}

static bool step_find(struct db *db, void *owner, struct visit *visit, struct err *err)
{
    const struct want want = {"user", user_fields};
    bool wanted = false;
    if (!store_get(db, owner, ASK(USER_BY_ID, TEXT(visit->user_id)), want, &visit->user, err) ||
        !terms_wanted(db, owner, visit->user_id, &visit->terms, &wanted, err))
        return false;
    visit->step = visit->user.must_change ? VISIT_PASSWORD
                  : wanted                ? VISIT_TERMS
                  : !visit->ownership     ? VISIT_OWNERSHIP
                                          : VISIT_READY;
    return true;
}

bool fleet_visit_find(struct fleet *fleet, void *owner, const struct visit_wish *wish,
                      const char *secret, int64_t now, struct visit *out, struct err *err)
{
    struct visit visit = {0};
    bool found = false;
    uint8_t mac[32];
    if (!secret_mac(fleet, "visit", secret, mac, err) ||
        !store_find(fleet->db, owner,
                    ASK(VISIT_BY_MAC, BYTES(BYTES_OF(mac)), TEXT(wish->way), INTEGER(now)),
                    FIELDS(visit_rows), &visit, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_UNAUTHENTICATED, "the sign-in has ended");
    if (!step_find(fleet->db, owner, &visit, err))
        return false;
    *out = visit;
    return true;
}

struct actor fleet_visit_actor(const struct visit *visit, const char *request_id, int64_t now)
{
    return (struct actor){.kind = ACTOR_USER,
                          .id = visit->user.id,
                          .name = visit->user.name,
                          .request_id = request_id,
                          .now = now};
}

/* ---- the steps ---- */

struct stepping {
    const struct visit *visit;
    const char *text; /* hash, or ownership */
    int64_t version, now;
};

static struct change change_of(const struct actor *actor, const struct visit *visit,
                               const char *action)
{
    return (struct change){
        .actor = actor, .action = action, .subject_kind = "user", .subject_id = visit->user.id};
}

static bool password_run(struct db *tx, void *context, struct err *err)
{
    const struct stepping *s = context;
    int64_t held = 0;
    if (!store_change(tx,
                      ASK(USER_HOLD, TEXT(s->visit->user.id), TEXT(s->visit->user.password_hash)),
                      &held, err))
        return false;
    if (held == 0)
        return err_set(err, ERR_CONFLICT, "the password was changed meanwhile");
    return store_change(
        tx, ASK(USER_SET_PASSWORD, TEXT(s->visit->user.id), TEXT(s->text), INTEGER(0)), NULL, err);
}

bool fleet_visit_password(struct fleet *fleet, const struct actor *actor, const struct visit *visit,
                          const char *password, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    char *hash = NULL;
    bool same = false;
    if (!password_check(password, "", err) ||
        !password_matches(fleet, visit->user.password_hash, password, &same, err))
        return false;
    if (same)
        return err_at(err, ERR_BAD_INPUT, "/new_password", "the new password must differ");
    if (!password_hash(fleet, owner, password, &hash, err))
        return false;
    struct stepping stepping = {.visit = visit, .text = hash};
    struct change change = change_of(actor, visit, "user.password_chosen");
    change.work = password_run;
    change.context = &stepping;
    return fleet_change(fleet, &change, err);
}

static bool accept_run(struct db *tx, void *context, struct err *err)
{
    const struct stepping *s = context;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct terms terms = {0};
    bool found = false;
    if (!store_find(tx, owner, ASK_ALL(TERMS_CURRENT), terms_fields, &terms, &found, err))
        return false;
    if (!found || terms.version != s->version)
        return err_set(err, ERR_CONFLICT, "the terms have changed meanwhile");
    return store_change(
        tx, ASK(TERMS_ACCEPT, TEXT(s->visit->user.id), INTEGER(s->version), INTEGER(s->now)), NULL,
        err);
}

bool fleet_visit_accept(struct fleet *fleet, const struct actor *actor, const struct visit *visit,
                        int64_t version, struct err *err)
{
    struct stepping stepping = {.visit = visit, .version = version, .now = actor->now};
    struct change change = change_of(actor, visit, "terms.accept");
    CLEANUP(mem_free_at) char *number = mem_format(NULL, "%lld", (long long)version);
    CLEANUP(mem_free_at) char *detail = json_pairs(NULL, "version", number, NULL);
    change.detail = detail;
    change.work = accept_run;
    change.context = &stepping;
    return fleet_change(fleet, &change, err);
}

static bool own_run(struct db *tx, void *context, struct err *err)
{
    const struct stepping *s = context;
    return store_change_one(tx, ASK(VISIT_OWN, TEXT(s->visit->id), TEXT(s->text)),
                            "this sign-in has ended meanwhile", err);
}

bool fleet_visit_own(struct fleet *fleet, const struct actor *actor, const struct visit *visit,
                     enum ownership ownership, struct err *err)
{
    struct stepping stepping = {.visit = visit, .text = ownership_names[ownership]};
    const struct change change = {.actor = actor, .work = own_run, .context = &stepping};
    return fleet_change(fleet, &change, err);
}

/* ---- the end: a link of one's own ---- */

struct ending {
    const struct visit *visit;
    struct enrolment_link link;
    uint8_t mac[32];
    void *owner;
    int64_t now;
};

static bool end_run(struct db *tx, void *context, struct err *err)
{
    const struct ending *e = context;
    struct visit again = *e->visit;
    if (!store_change_one(tx, ASK(VISIT_END, TEXT(e->visit->id), INTEGER(e->now)),
                          "this sign-in was used meanwhile", err) ||
        !step_find(tx, e->owner, &again, err))
        return false;
    if (again.user.disabled_at)
        return err_set(err, ERR_UNAUTHENTICATED, "the sign-in has ended");
    if (again.step != VISIT_READY)
        return err_set(err, ERR_PRECONDITION, "something is to be done before");
    return link_insert(tx, &e->link, e->mac, err);
}

bool fleet_visit_end(struct fleet *fleet, const struct actor *actor, void *owner,
                     const struct visit *visit, enum enrolment_mode mode, char **token,
                     struct err *err)
{
    const struct user *user = &visit->user;
    char *secret = link_secret(owner);
    struct ending ending = {.visit = visit, .owner = owner, .now = actor->now};
    ending.link = (struct enrolment_link){
        .id = id_make(owner),
        .name = mem_format(owner, "sign-in of %s", user->name),
        .ownership = name_find(ownership_names, visit->ownership ? visit->ownership : ""),
        .mode = mode,
        .user_id = user->id,
        .apple_account = user->apple_account ? user->apple_account : user->mail,
        .created_at = actor->now,
        .created_by = user->name,
        .expires_at = actor->now + VISIT_LINK_SECONDS};
    if (ending.link.ownership < 0)
        return err_set(err, ERR_PRECONDITION, "something is to be done before");
    if (!link_mac(fleet, secret, ending.mac, err))
        return false;
    struct change change = change_of(actor, visit, "visit.end");
    change.detail = json_pairs(owner, "link", ending.link.id, "ownership", visit->ownership, "mode",
                               enrolment_mode_names[mode], NULL);
    change.work = end_run;
    change.context = &ending;
    if (!fleet_change(fleet, &change, err))
        return false;
    *token = secret;
    return true;
}
