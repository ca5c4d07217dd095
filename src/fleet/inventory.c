/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/inventory.h"

#include <string.h>

#include "base/id.h"
#include "codec/json.h"
#include "fleet/attest.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/list.h"
#include "model/device.h"
#include "model/fact.h"
#include "pki/digest.h"
#include "store/store.h"

#define REFRESH_SECONDS (24 * 3600) /* between two lists, by and large */
#define SHUT_SECONDS (24 * 3600)    /* a blocked device is looked at again after this long */

static const enum command_kind company_queries[] = {
    COMMAND_QUERY_DEVICE, COMMAND_QUERY_SECURITY,
    COMMAND_QUERY_ITEMS,  COMMAND_QUERY_MANAGED_APPS,
    COMMAND_QUERY_APPS,   COMMAND_QUERY_CERTIFICATES,
    COMMAND_SYNC};
/* What else is on a personal device is nobody's business. */
static const enum command_kind personal_queries[] = {COMMAND_QUERY_DEVICE, COMMAND_QUERY_SECURITY,
                                                     COMMAND_QUERY_ITEMS,
                                                     COMMAND_QUERY_MANAGED_APPS, COMMAND_SYNC};

const enum command_kind *inventory_queries(int ownership)
{
    return ownership == OWNERSHIP_PERSONAL ? personal_queries : company_queries;
}

static const struct {
    enum command_kind asked;
    enum inventory_kind told;
    bool is_private; /* not kept of personal devices */
} answers[] = {
    {COMMAND_QUERY_APPS, INVENTORY_APP, true},
    {COMMAND_QUERY_MANAGED_APPS, INVENTORY_MANAGED_APP, false},
    {COMMAND_QUERY_CERTIFICATES, INVENTORY_CERTIFICATE, true},
    {COMMAND_QUERY_ITEMS, INVENTORY_PROFILE, false},
};

/* ---- what was told ---- */

struct digest {
    uint8_t sha256[32];
};

struct keeping {
    void *owner;
    const struct telling *telling;
    const char *kind;
    struct digest *digests; /* of the things */
};

static void thing_digest(const struct thing *thing, uint8_t out[32])
{
    CLEANUP(json_decref_at)
    json_t *json = json_pack("[s, s, s?, s?, I, s]", thing->identifier, thing->name, thing->version,
                             thing->state, (json_int_t)thing->expires_at, thing->detail);
    if (!json)
        bug("a thing is no JSON");
    CLEANUP(mem_free_at) char *text = json_canonical(NULL, json);
    digest_sha256(bytes_text(text), out);
}

/* Of the list as a whole: an equal one is not compared thing by thing. */
static void list_digest(const struct keeping *k, uint8_t out[32])
{
    size_t count = k->telling->list->count;
    digest_sha256((struct bytes){(const uint8_t *)k->digests, count * sizeof(*k->digests)}, out);
}

static bool is_same(const struct rows *rows, size_t row, const uint8_t digest[32])
{
    struct bytes known = rows_value(rows, row, "digest")->bytes;
    return known.size == 32 && memcmp(known.data, digest, 32) == 0;
}

static bool thing_put(struct db *tx, const struct keeping *k, size_t at, struct err *err)
{
    const struct thing *thing = &k->telling->list->things[at];
    return store_change(tx,
                        ASK(INVENTORY_PUT, TEXT(k->telling->device_id), TEXT(k->kind),
                            TEXT(thing->identifier), TEXT(thing->name), TEXT(thing->version),
                            TEXT(thing->state), TIME(thing->expires_at), TEXT(thing->detail),
                            BYTES(BYTES_OF(k->digests[at].sha256)), INTEGER(k->telling->now)),
                        NULL, err);
}

static int by_identifier(const void *a, const void *b)
{
    const struct thing *const *one = a, *const *other = b;
    return strcmp((*one)->identifier, (*other)->identifier);
}

static const struct thing **things_sorted(void *owner, const struct reported_list *list)
{
    const struct thing **sorted = mem_array(owner, const struct thing *, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->things[i];
    if (list->count > 0)
        qsort(sorted, list->count, sizeof(*sorted), by_identifier);
    return sorted;
}

/* What is known and told again unchanged is marked; what is known and not told goes. */
static bool known_compare(struct db *tx, const struct keeping *k, bool *same, struct err *err)
{
    const struct reported_list *list = k->telling->list;
    const struct thing **sorted = things_sorted(k->owner, list);
    struct rows *rows = NULL;
    if (!store_rows(tx, k->owner, ASK(INVENTORY_KNOWN, TEXT(k->telling->device_id), TEXT(k->kind)),
                    &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        struct thing wanted = {.identifier = mem_text(k->owner, rows_text(rows, i, "identifier"))};
        const struct thing *key = &wanted;
        const struct thing **found =
            list->count ? bsearch(&key, sorted, list->count, sizeof(*sorted), by_identifier) : NULL;
        if (found)
            same[*found - list->things] =
                is_same(rows, i, k->digests[*found - list->things].sha256);
        else if (!store_change(tx,
                               ASK(INVENTORY_DROP, TEXT(k->telling->device_id), TEXT(k->kind),
                                   TEXT(wanted.identifier)),
                               NULL, err))
            return false;
    }
    return true;
}

static bool difference_save(struct db *tx, const struct keeping *k, struct err *err)
{
    size_t count = k->telling->list->count;
    bool *same = mem_array(k->owner, bool, count + 1);
    if (!known_compare(tx, k, same, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!same[i] && !thing_put(tx, k, i, err))
            return false;
    return true;
}

static bool list_save(struct db *tx, struct keeping *k, struct err *err)
{
    const struct telling *t = k->telling;
    uint8_t digest[32];
    struct rows *rows = NULL;
    k->digests = mem_array(k->owner, struct digest, t->list->count + 1);
    for (size_t i = 0; i < t->list->count; i++)
        thing_digest(&t->list->things[i], k->digests[i].sha256);
    list_digest(k, digest);
    if (!store_rows(tx, k->owner, ASK(INVENTORY_DIGEST, TEXT(t->device_id), TEXT(k->kind)), &rows,
                    err))
        return false;
    bool unchanged = rows->count > 0 && is_same(rows, 0, digest);
    return (unchanged || difference_save(tx, k, err)) &&
           store_change(tx,
                        ASK(INVENTORY_TELL, TEXT(t->device_id), TEXT(k->kind),
                            INTEGER((int64_t)t->list->count), INTEGER(t->list->is_cut),
                            TEXT(evidence_names[EVIDENCE_MEASURED]), BYTES(BYTES_OF(digest)),
                            INTEGER(t->now)),
                        NULL, err);
}

static bool ownership_of(struct db *db, const char *device_id, int *out, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct device device = {0};
    const struct want want = {"device", device_fields};
    if (!store_get(db, owner, ASK(DEVICE_BY_ID, TEXT(device_id)), want, &device, err))
        return false;
    *out = device.ownership;
    return true;
}

/* The profiles that management brought; of others nothing is kept. */
static struct reported_list managed_only(void *owner, const struct reported_list *list)
{
    struct thing *things = mem_array(owner, struct thing, list->count + 1);
    struct reported_list managed = *list;
    managed.things = things;
    managed.count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->things[i].state && strcmp(list->things[i].state, INVENTORY_MANAGED) == 0)
            things[managed.count++] = list->things[i];
    return managed;
}

bool inventory_save(struct db *tx, const struct telling *telling, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    int ownership = OWNERSHIP_PERSONAL;
    size_t i = 0;
    while (telling->list && i < COUNT(answers) &&
           (answers[i].asked != telling->answered || answers[i].told != telling->list->kind))
        i++;
    if (!telling->list || i == COUNT(answers))
        return true;
    if (!ownership_of(tx, telling->device_id, &ownership, err))
        return false;
    bool is_personal = ownership == OWNERSHIP_PERSONAL;
    if (is_personal && answers[i].is_private)
        return true;
    struct reported_list list = *telling->list;
    if (is_personal && list.kind == INVENTORY_PROFILE)
        list = managed_only(owner, telling->list);
    struct telling kept = *telling;
    kept.list = &list;
    struct keeping keeping = {
        .owner = owner, .telling = &kept, .kind = inventory_kind_names[list.kind]};
    return list_save(tx, &keeping, err);
}

/* ---- for people ---- */

bool fleet_inventory_lists(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *device_id, struct list *out, struct err *err)
{
    void *items = NULL;
    size_t count = 0;
    if (!fleet_need(actor, "device.read", err) ||
        !store_list(fleet->db, owner, ASK(INVENTORY_TOLD, TEXT(device_id)), inventory_list_fields,
                    sizeof(struct inventory_list), &items, &count, err))
        return false;
    *out = (struct list){.items = items, .count = count};
    return true;
}

bool fleet_inventory_page(struct fleet *fleet, const struct actor *actor, void *owner,
                          const char *device_id, enum inventory_kind kind, const struct page *page,
                          struct list *out, struct err *err)
{
    struct listing listing = {.fields = thing_fields,
                              .item_size = sizeof(struct thing),
                              .permission = "device.read",
                              .cursor_field = "identifier"};
    if (kind == INVENTORY_APP)
        return list_read(fleet, actor, owner,
                         ASK(INVENTORY_APPS, TEXT(device_id), TEXT(list_cursor_text(page)),
                             INTEGER(page->limit + 1)),
                         page, &listing, out, err);
    return list_read(fleet, actor, owner,
                     ASK(INVENTORY_PAGE, TEXT(device_id), TEXT(inventory_kind_names[kind]),
                         TEXT(list_cursor_text(page)), INTEGER(page->limit + 1)),
                     page, &listing, out, err);
}

/* ---- asking again ---- */

struct refreshing {
    struct attest_wish wish;
    const enum command_kind *queries;
};

static bool refresh_run(struct db *tx, void *context, struct err *err)
{
    const struct refreshing *r = context;
    for (const enum command_kind *kind = r->queries; *kind != COMMAND_SYNC; kind++)
        if (!query_add(tx, r->wish.enrolment_id, *kind, r->wish.now, err))
            return false;
    return attestation_ask(tx, &r->wish, err);
}

/* 75 % to 125 % of the time between two lists. */
static int64_t next_at(int64_t now)
{
    const int64_t seconds = REFRESH_SECONDS;
    uint16_t chance;
    random_bytes(&chance, sizeof(chance));
    return now + seconds - seconds / 4 + seconds / 2 * chance / UINT16_MAX;
}

bool fleet_inventory_refresh(struct fleet *fleet, const char *enrolment_id, int64_t now,
                             int64_t *again_at, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct actor actor = fleet_system_actor(now);
    struct enrolment enrolment = {0};
    bool found = false;
    int ownership = OWNERSHIP_PERSONAL;
    *again_at = 0;
    if (!store_find(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(enrolment_id)), enrolment_fields,
                    &enrolment, &found, err))
        return false;
    if (!found || enrolment.ended_at || !enrolment.device_id)
        return true;
    *again_at = enrolment.state == ENROLMENT_ACTIVE ? next_at(now) : now + SHUT_SECONDS;
    if (enrolment.state != ENROLMENT_ACTIVE)
        return true;
    if (!ownership_of(fleet->db, enrolment.device_id, &ownership, err))
        return false;
    struct refreshing refreshing = {{fleet, enrolment_id, enrolment.device_id, now},
                                    inventory_queries(ownership)};
    struct change change = {.actor = &actor,
                            .work = refresh_run,
                            .context = &refreshing,
                            .forget = enrolment_id,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}
