/* SPDX-License-Identifier: Apache-2.0 */
/* One-time enrolment links: made, listed, revoked, and used once. */
#include "fleet/link.h"
#include "base/id.h"
#include "base/text.h"
#include "codec/json.h"
#include "fleet/device.h"
#include "fleet/door.h"
#include "fleet/enrol.h"
#include "fleet/list.h"
#include "fleet/refusal.h"
#include "pki/keyd.h"
#include "store/store.h"

#define LINK_BITS 160                  /* of randomness in a link */
#define LINK_LONGEST (365 * 24 * 3600) /* seconds a link may live */

bool link_mac(struct fleet *fleet, const char *token, uint8_t mac[32], struct err *err)
{
    return keyd_mac(fleet->keyd, KEYD_MAC_LINK, bytes_text(token), mac, err);
}

char *link_secret(void *owner)
{
    return random_text(owner, LINK_BITS);
}

bool link_insert(struct db *tx, const struct enrolment_link *link, const uint8_t mac[32],
                 struct err *err)
{
    const struct bytes bytes = {mac, 32};
    return store_change(tx,
                        ASK(ENROLMENT_LINK_INSERT, TEXT(link->id), BYTES(bytes), TEXT(link->name),
                            TEXT(ownership_names[link->ownership]), TEXT(link->device_id),
                            INTEGER(link->created_at), TEXT(link->created_by),
                            INTEGER(link->expires_at), TEXT(enrolment_mode_names[link->mode]),
                            TEXT(link->user_id), TEXT(link->apple_account)),
                        NULL, err);
}

struct creation {
    struct enrolment_link *link;
    uint8_t mac[32];
};

static bool create_run(struct db *tx, void *context, struct err *err)
{
    const struct creation *creation = context;
    return link_insert(tx, creation->link, creation->mac, err);
}

/* People may name the device as they like; the link keeps its identifier. */
static bool device_choose(struct fleet *fleet, const struct actor *actor, void *owner,
                          struct enrolment_link *link, struct err *err)
{
    struct device device;
    bool is_said = link->ownership != OWNERSHIP_UNSAID;
    if (!is_said)
        link->ownership = OWNERSHIP_COMPANY;
    if (!link->device_id)
        return true;
    if (!fleet_device_get(fleet, actor, owner, link->device_id, &device, err))
        return err->kind == ERR_NOT_FOUND
                   ? err_at(err, ERR_BAD_INPUT, "/device", "there is no such device")
                   : false;
    if (device.enrolment_state == ENROLMENT_BLOCKED) {
        (void)err_at(err, ERR_PRECONDITION, "/device", "%s is blocked", device.name);
        err->remedy = "unblock it first (muster device unblock)";
        return false;
    }
    link->device_id = device.id;
    if (!is_said)
        link->ownership = device.ownership;
    return true;
}

bool fleet_link_create(struct fleet *fleet, const struct actor *actor, void *owner,
                       const struct enrolment_link *wish, struct enrolment_link *out, char **token,
                       struct err *err)
{
    struct enrolment_link link = *wish;
    if (link.expires_at == 0)
        link.expires_at = actor->now + fleet->settings->link_seconds;
    if (link.expires_at <= actor->now || link.expires_at > actor->now + LINK_LONGEST)
        return err_at(err, ERR_BAD_INPUT, "/expires_at",
                      "a link must end within the next 365 days");
    if (!device_choose(fleet, actor, owner, &link, err))
        return false;
    link.id = id_make(owner);
    link.created_at = actor->now;
    link.created_by = mem_text(owner, actor->name);
    CLEANUP(mem_free_at) char *secret = link_secret(NULL);
    struct creation creation = {.link = &link};
    if (!link_mac(fleet, secret, creation.mac, err))
        return false;
    CLEANUP(mem_free_at)
    char *detail = json_pairs(NULL, "name", link.name, "ownership", ownership_names[link.ownership],
                              "device", link.device_id, NULL);
    struct change change = {.actor = actor,
                            .action = "enrolment_link.create",
                            .permission = "enrolment.create",
                            .subject_kind = "enrolment_link",
                            .subject_id = link.id,
                            .detail = detail,
                            .work = create_run,
                            .context = &creation};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = link;
    *token = mem_give(owner, &secret);
    return true;
}

bool fleet_link_list(struct fleet *fleet, const struct actor *actor, void *owner,
                     const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = enrolment_link_fields,
                              .item_size = sizeof(struct enrolment_link),
                              .permission = "enrolment.read"};
    return list_read(fleet, actor, owner,
                     ASK(ENROLMENT_LINK_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page,
                     &listing, out, err);
}

struct revocation {
    const char *id;
    int64_t now;
};

static bool revoke_run(struct db *tx, void *context, struct err *err)
{
    const struct revocation *revocation = context;
    int64_t count = 0;
    if (!store_number(tx, ASK(ENROLMENT_LINK_COUNT, TEXT(revocation->id)), "count", &count, err))
        return false;
    if (count == 0)
        return err_set(err, ERR_NOT_FOUND, "no such enrolment link");
    return store_change_one(
        tx, ASK(ENROLMENT_LINK_REVOKE, TEXT(revocation->id), INTEGER(revocation->now)),
        "the link was used or revoked before", err);
}

bool fleet_link_revoke(struct fleet *fleet, const struct actor *actor, const char *id,
                       struct err *err)
{
    struct revocation revocation = {id, actor->now};
    struct change change = {.actor = actor,
                            .action = "enrolment_link.revoke",
                            .permission = "enrolment.create",
                            .subject_kind = "enrolment_link",
                            .subject_id = id,
                            .work = revoke_run,
                            .context = &revocation};
    return fleet_change(fleet, &change, err);
}

bool link_find(struct fleet *fleet, void *owner, const struct link_shown *shown,
               struct enrolment_link *out, struct err *err)
{
    uint8_t mac[32];
    bool found = false;
    struct enrolment_link link = {0};
    if (!link_mac(fleet, shown->token, mac, err) ||
        !store_find(fleet->db, owner, ASK(ENROLMENT_LINK_BY_MAC, BYTES(BYTES_OF(mac))),
                    enrolment_link_fields, &link, &found, err))
        return false;
    if (!found || link.mode != (int)shown->mode || link.used_at || link.revoked_at ||
        link.expires_at <= shown->now)
        return err_set(err, ERR_NOT_FOUND,
                       "this enrolment link was used, has ended or never existed");
    *out = link;
    return true;
}

static bool refused_run(struct db *tx, void *context, struct err *err)
{
    return refusal_add(tx, context, err);
}

void link_note_refusal(struct fleet *fleet, const struct actor *actor,
                       const struct link_shown *shown)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    uint8_t mac[32];
    bool found = false;
    struct enrolment_link link = {0};
    struct err ignored; /* that the link cannot be used is what the caller needs to hear */
    if (!link_mac(fleet, shown->token, mac, &ignored) ||
        !store_find(fleet->db, owner, ASK(ENROLMENT_LINK_BY_MAC, BYTES(BYTES_OF(mac))),
                    enrolment_link_fields, &link, &found, &ignored) ||
        !found)
        return;
    const char *reason = link.used_at      ? "it was used before"
                         : link.revoked_at ? "it was withdrawn"
                                           : "it has ended, or is for another door";
    char peer[REFUSAL_PEER_SIZE];
    refusal_peer(actor->name, peer);
    struct refusal_wish wish = {
        .kind = "enrolment_link.refused",
        .peer = peer,
        .subject = link.id,
        .detail = json_pairs(owner, "link", link.id, "name", link.name, "reason", reason, NULL),
        .now = actor->now};
    struct change change = {.actor = actor, .work = refused_run, .context = &wish, .wakes = true};
    bool kept = fleet_change(fleet, &change, &ignored);
    (void)kept;
}

bool fleet_link_check(struct fleet *fleet, const char *token, int64_t now, enum ownership *out,
                      struct err *err)
{
    struct enrolment_link link;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    if (!link_find(fleet, owner, &(struct link_shown){token, MODE_DEVICE, now}, &link, err))
        return false;
    *out = (enum ownership)link.ownership;
    return true;
}
