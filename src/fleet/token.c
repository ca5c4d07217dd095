/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/token.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "fleet/mac_cache.h"
#include "fleet/shared.h"
#include "pki/keyd.h"
#include "store/store.h"

#define SECRET_BITS 200
#define SECRET_PREFIX "muster_" /* so that scanners for leaked secrets know it */
#define SECRET_SIZE (sizeof(SECRET_PREFIX) - 1 + SECRET_BITS / 5)
#define HAS_ENDED "the session or token has ended: sign in again"

static bool secret_mac(struct fleet *fleet, const char *secret, uint8_t mac[32], struct err *err)
{
    return keyd_mac(fleet->keyd, KEYD_MAC_TOKEN, bytes_text(secret), mac, err);
}

bool token_prepare(struct fleet *fleet, void *owner, const struct token *wish, int64_t now,
                   struct token_wish *out, struct err *err)
{
    struct token_wish made = {.token = *wish, .created_at = now};
    made.secret = mem_format(owner, SECRET_PREFIX "%s", random_text(owner, SECRET_BITS));
    made.token.id = id_make(owner);
    made.token.created_at = now;
    if (!secret_mac(fleet, made.secret, made.mac, err))
        return false;
    *out = made;
    return true;
}

bool token_insert(struct db *tx, const struct token_wish *wish, struct err *err)
{
    const struct token *token = &wish->token;
    return store_change(tx,
                        ASK(TOKEN_INSERT, TEXT(token->id), TEXT(token->account_id),
                            TEXT(token->kind), TEXT(token->name), TEXT(role_names[token->role]),
                            BYTES(BYTES_OF(wish->mac)), INTEGER(token->created_at),
                            TIME(token->expires_at)),
                        NULL, err);
}

bool fleet_token_actor(struct fleet *fleet, void *owner, const char *secret, int64_t now,
                       struct actor *out, struct err *err)
{
    uint8_t mac[32];
    struct token token = {0};
    struct mac_cache *cache = fleet->shared->tokens;
    bool found = false;
    if (strlen(secret) != SECRET_SIZE || !text_starts(secret, SECRET_PREFIX))
        return err_set(err, ERR_UNAUTHENTICATED, "sign in first");
    bool known = mac_cache_get(cache, secret, mac);
    if ((!known && !secret_mac(fleet, secret, mac, err)) ||
        !store_find(fleet->db, owner, ASK(TOKEN_BY_MAC, BYTES(BYTES_OF(mac)), INTEGER(now)),
                    token_fields, &token, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_UNAUTHENTICATED, HAS_ENDED);
    if (!known) /* not before: strangers would push the others out */
        mac_cache_put(cache, secret, mac);
    *out = (struct actor){.kind = ACTOR_ACCOUNT,
                          .id = token.account_id,
                          .name = token.account_name,
                          .role = token.role,
                          .token_id = token.id,
                          .now = now};
    return true;
}

struct creating {
    const struct token_wish *wish;
    const char *maker; /* the session or token that asks for it */
};

/* Whatever ends the tokens of an account changes the account first: hold it, then see whether the
 * maker is still good. In the other order, or in one statement, a token could come behind the end
 * of all. */
static bool create_run(struct db *tx, void *context, struct err *err)
{
    const struct creating *c = context;
    const char *account = c->wish->token.account_id;
    int64_t held = 0, good = 0;
    if (!store_change(tx, ASK(ACCOUNT_HOLD_ENABLED, TEXT(account)), &held, err) ||
        !store_number(tx, ASK(TOKEN_GOOD_COUNT, TEXT(c->maker), TEXT(account)), "count", &good,
                      err))
        return false;
    if (held == 0 || good == 0)
        return err_set(err, ERR_UNAUTHENTICATED, HAS_ENDED);
    return token_insert(tx, c->wish, err);
}

bool fleet_token_create(struct fleet *fleet, const struct actor *actor, void *owner,
                        const struct token *wish, struct session *out, struct err *err)
{
    struct token token = *wish;
    struct token_wish made;
    if (token.role < actor->role)
        return err_at(err, ERR_FORBIDDEN, "/role", "a token cannot do more than its maker");
    if (token.expires_at && token.expires_at <= actor->now)
        return err_at(err, ERR_BAD_INPUT, "/expires_at", "the end of a token lies in the future");
    token.account_id = mem_text(owner, actor->id);
    token.account_name = mem_text(owner, actor->name);
    token.kind = mem_text(owner, "api");
    if (!fleet_need(actor, "token.write", err) ||
        !token_prepare(fleet, owner, &token, actor->now, &made, err))
        return false;
    struct creating creating = {&made, actor->token_id};
    struct change change = {
        .actor = actor,
        .action = "token.create",
        .permission = "token.write",
        .subject_kind = "token",
        .subject_id = made.token.id,
        .detail = json_pairs(owner, "name", token.name, "role", role_names[token.role], NULL),
        .work = create_run,
        .context = &creating};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = (struct session){made.secret, made.token};
    return true;
}

bool fleet_token_list(struct fleet *fleet, const struct actor *actor, void *owner,
                      const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {
        .fields = token_fields, .item_size = sizeof(struct token), .permission = "token.read"};
    return list_read(fleet, actor, owner,
                     ASK(TOKEN_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page, &listing,
                     out, err);
}

struct revoking {
    const char *id;
    int64_t now;
};

static bool revoke_run(struct db *tx, void *context, struct err *err)
{
    const struct revoking *revoking = context;
    int64_t changed = 0;
    if (!store_change(tx, ASK(TOKEN_REVOKE, TEXT(revoking->id), INTEGER(revoking->now)), &changed,
                      err))
        return false;
    return changed == 1 || err_set(err, ERR_NOT_FOUND, "no such token");
}

bool fleet_token_revoke(struct fleet *fleet, const struct actor *actor, const char *id,
                        struct err *err)
{
    struct revoking revoking = {id, actor->now};
    bool own = text_equal(actor->token_id, id);
    struct change change = {.actor = actor,
                            .action = "token.revoke",
                            .permission = own ? NULL : "token.write",
                            .subject_kind = "token",
                            .subject_id = id,
                            .work = revoke_run,
                            .context = &revoking};
    return fleet_change(fleet, &change, err);
}
