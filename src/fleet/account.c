/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/account.h"

#include <argon2.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/shared.h"
#include "fleet/token.h"
#include "store/store.h"

/* argon2id, OWASP's second choice: 19 MiB, 2 passes, 1 lane */
#define HASH_PASSES 2
#define HASH_KIBIBYTES 19456
#define HASH_SALT 16
#define HASH_SIZE 32
#define ONE_TIME_BITS 80

/* ---- passwords ---- */

static char *password_hash(void *owner, const char *password)
{
    uint8_t salt[HASH_SALT];
    char encoded[160];
    random_bytes(salt, sizeof(salt));
    if (argon2id_hash_encoded(HASH_PASSES, HASH_KIBIBYTES, 1, password, strlen(password), salt,
                              sizeof(salt), HASH_SIZE, encoded, sizeof(encoded)) != ARGON2_OK)
        bug("no password hash");
    return mem_text(owner, encoded);
}

static bool password_matches(const char *hash, const char *password)
{
    return argon2id_verify(hash, password, strlen(password)) == ARGON2_OK;
}

static bool password_check(const char *password, const char *old, struct err *err)
{
    size_t size = strlen(password);
    if (size < PASSWORD_SHORTEST || size > PASSWORD_LONGEST)
        return err_at(err, ERR_BAD_INPUT, "/new_password", "a password has %d to %d characters",
                      PASSWORD_SHORTEST, PASSWORD_LONGEST);
    return strcmp(password, old) != 0 ||
           err_at(err, ERR_BAD_INPUT, "/new_password", "the new password must differ");
}

/* ---- wrong attempts: memory only ---- */

/*
 * Each address has a budget; a wrong attempt costs one, and one comes back each minute.  Names have
 * none: whoever knows a name could lock its owner out.
 */
#define BUDGETS_KEPT 1024 /* addresses; the one that was used longest ago gives way */
#define BUDGET 5
#define BUDGET_SECONDS 60 /* until one attempt is there again */

struct budget {
    char who[64];
    int64_t spent_until; /* when all of it is there again */
};
struct sign_in_failures {
    pthread_mutex_t lock;
    struct budget list[BUDGETS_KEPT];
};

static int failures_end(struct sign_in_failures *failures)
{
    return pthread_mutex_destroy(&failures->lock);
}

struct sign_in_failures *sign_in_failures_make(void *owner)
{
    struct sign_in_failures *failures = mem_new(owner, struct sign_in_failures);
    if (pthread_mutex_init(&failures->lock, NULL) != 0)
        bug("no mutex");
    mem_destructor(failures, failures_end);
    return failures;
}

/* Whoever has an IPv6 address has 2^64 of them: they share one budget. */
static void budget_name(const char *peer, char out[64])
{
    uint8_t address[16];
    if (peer && inet_pton(AF_INET6, peer, address) == 1 &&
        !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)address)) {
        memset(address + 8, 0, 8);
        if (inet_ntop(AF_INET6, address, out, 64))
            return;
    }
    (void)snprintf(out, 64, "%s", peer && *peer ? peer : "unknown");
}

static struct budget *budget_of(struct sign_in_failures *failures, const char *who)
{
    struct budget *oldest = &failures->list[0];
    for (size_t i = 0; i < BUDGETS_KEPT; i++) {
        if (strcmp(failures->list[i].who, who) == 0)
            return &failures->list[i];
        if (failures->list[i].spent_until < oldest->spent_until)
            oldest = &failures->list[i];
    }
    *oldest = (struct budget){.spent_until = 0};
    (void)snprintf(oldest->who, sizeof(oldest->who), "%s", who);
    return oldest;
}

/* Looks and takes in one step: attempts at once cannot have more than the budget together. */
static bool budget_take(struct sign_in_failures *failures, const char *who, int64_t now)
{
    pthread_mutex_lock(&failures->lock);
    struct budget *budget = budget_of(failures, who);
    int64_t from = budget->spent_until > now ? budget->spent_until : now;
    bool allowed = from + BUDGET_SECONDS <= now + BUDGET * BUDGET_SECONDS;
    if (allowed)
        budget->spent_until = from + BUDGET_SECONDS;
    pthread_mutex_unlock(&failures->lock);
    return allowed;
}

/* It was no wrong attempt. */
static void budget_give_back(struct sign_in_failures *failures, const char *who)
{
    pthread_mutex_lock(&failures->lock);
    budget_of(failures, who)->spent_until -= BUDGET_SECONDS;
    pthread_mutex_unlock(&failures->lock);
}

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
    char *secret = random_text(owner, ONE_TIME_BITS);
    struct resetting resetting = {owner,          name,      role, password_hash(owner, secret),
                                  id_make(owner), actor->now};
    if (actor->kind != ACTOR_SYSTEM)
        return err_set(err, ERR_FORBIDDEN, "only the server's own command line gives passwords");
    if (strlen(name) == 0 || strlen(name) > 100)
        return err_set(err, ERR_BAD_INPUT, "a name has 1 to 100 characters");
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

struct signing_in {
    const struct account *account;
    const char *new_hash; /* NULL: unchanged */
    const struct token_wish *wish;
};

static bool sign_in_run(struct db *tx, void *context, struct err *err)
{
    const struct signing_in *s = context;
    if (s->new_hash &&
        !(store_change(
              tx, ASK(ACCOUNT_SET_PASSWORD, TEXT(s->account->id), TEXT(s->new_hash), INTEGER(0)),
              NULL, err) &&
          store_change(tx,
                       ASK(TOKEN_REVOKE_OF_ACCOUNT, TEXT(s->account->id),
                           INTEGER(s->wish->created_at), TEXT("")),
                       NULL, err)))
        return false;
    return token_insert(tx, s->wish, err);
}

static bool sign_in_refused(struct err *err)
{
    return err_set(err, ERR_UNAUTHENTICATED, "name or password is wrong");
}

/* The account, or the same answer after the same work for a wrong name and a wrong password. */
static bool account_checked(struct fleet *fleet, void *owner, const struct sign_in *sign_in,
                            struct account *account, struct err *err)
{
    bool found = false;
    if (!store_find(fleet->db, owner, ASK(ACCOUNT_BY_NAME, TEXT(sign_in->name)), account_fields,
                    account, &found, err))
        return false;
    if (!found || account->disabled_at) {
        mem_free(password_hash(NULL, sign_in->password));
        return sign_in_refused(err);
    }
    return password_matches(account->password_hash, sign_in->password) || sign_in_refused(err);
}

static bool account_signed_in(struct fleet *fleet, const struct actor *actor, void *owner,
                              const struct sign_in *sign_in, struct account *account,
                              struct err *err)
{
    struct sign_in_failures *failures = fleet->shared->failures;
    char who[64];
    budget_name(sign_in->peer, who);
    if (!budget_take(failures, who, actor->now))
        return err_set(err, ERR_TOO_MANY, "too many wrong attempts from this address");
    bool right = account_checked(fleet, owner, sign_in, account, err);
    if (right || err->kind != ERR_UNAUTHENTICATED)
        budget_give_back(failures, who);
    return right;
}

bool fleet_sign_in(struct fleet *fleet, const struct actor *actor, void *owner,
                   const struct sign_in *sign_in, struct session *out, struct err *err)
{
    struct account account = {0};
    if (strlen(sign_in->name) > 100 || strlen(sign_in->password) > PASSWORD_LONGEST)
        return sign_in_refused(err);
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
    if (!token_prepare(fleet, owner, &wish, actor->now, &made, err))
        return false;
    struct signing_in signing_in = {
        &account, sign_in->new_password ? password_hash(owner, sign_in->new_password) : NULL,
        &made};
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
