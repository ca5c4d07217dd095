/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/carriers.h"

#include "base/text.h"
#include "channel/apple/settings.h"
#include "policy/version.h"

struct making { /* what the ways of a set are made from */
    void *owner;
    const struct effective *effective;
    const struct apple_item *fetchable; /* the profiles as a device fetches them by itself */
    size_t fetchable_count;
};

static const struct apple_item *item_find(const struct apple_item *items, size_t count,
                                          const char *name)
{
    for (size_t i = 0; name && i < count; i++)
        if (text_equal(items[i].name, name))
            return &items[i];
    return NULL;
}

/* ---- what can be declared ---- */

struct carrier_row;
/* The payload of the declaration; NULL: there is nothing to declare. *is_meant: false where it
 * would say something else than the values, or is not wanted. New reference. */
typedef json_t *payload_make(const struct making *making, const struct carrier_row *row,
                             bool *is_meant);

static json_t *passcode_payload(const struct making *making, const struct carrier_row *row,
                                bool *is_meant)
{
    (void)row;
    return apple_passcode_declared(making->effective, is_meant);
}

static json_t *update_payload(const struct making *making, const struct carrier_row *row,
                              bool *is_meant)
{
    (void)row;
    *is_meant = true;
    return apple_update_declared(making->effective);
}

static json_t *legacy_payload(const struct making *making, const struct carrier_row *row,
                              bool *is_meant);

/* Restrictions alone take the way of a fetched profile: for a passcode there is a declaration, and
 * FileVault may be there once only, which a change of carriers would break (decision 0020). */
static const struct carrier_row {
    const char *item; /* the profile; NULL: there is none */
    const char *declared, *type;
    const char *since_ios, *since_macos; /* NULL: whoever names the type */
    payload_make *payload;
} carrier_rows[] = {
    /* from these systems on the declaration has all keys that the profile has */
    {APPLE_PASSCODE_ITEM, APPLE_PASSCODE_DECLARED, APPLE_PASSCODE_TYPE, "16.2", "13.1",
     passcode_payload},
    {NULL, APPLE_UPDATE_DECLARED, APPLE_UPDATE_TYPE, NULL, NULL, update_payload},
    {APPLE_RESTRICTIONS_ITEM, APPLE_RESTRICTIONS_DECLARED, APPLE_LEGACY_TYPE, NULL, NULL,
     legacy_payload},
};

static json_t *legacy_payload(const struct making *making, const struct carrier_row *row,
                              bool *is_meant)
{
    const struct apple_item *item =
        item_find(making->fetchable, making->fetchable_count, row->item);
    *is_meant = making->effective->declared_profiles;
    if (!item || !making->effective->device_url)
        return NULL;
    json_t *payload = json_object();
    const char *url = mem_format(making->owner, "%s" APPLE_FETCH_PATH "/%s/%s",
                                 making->effective->device_url, item->name, item->hash);
    json_set(payload, "ProfileURL", json_string(url));
    return payload;
}

/* ---- which way ---- */

static const struct delivered *row_of(const struct effective *effective, const char *item)
{
    for (size_t i = 0; i < effective->item_count; i++)
        if (text_equal(effective->items[i].item, item))
            return &effective->items[i];
    return NULL;
}

static bool is_in_force(const struct delivered *row, const char *hash)
{
    return row && row->state == COMMAND_VERIFIED && text_equal(row->hash, hash) &&
           text_equal(row->wanted_hash, hash);
}

static bool is_failed(const struct delivered *row, const char *hash)
{
    return row && row->state == COMMAND_FAILED && text_equal(row->wanted_hash, hash);
}

static bool is_kept(const struct delivered *row)
{
    return row && row->wanted_hash;
}

static bool is_recent(const struct effective *effective, const struct carrier_row *row)
{
    bool is_mac = effective->platform == PLATFORM_MACOS;
    const char *since = is_mac ? row->since_macos : row->since_ios;
    int order;
    return !since || (version_compare(effective->os_version, since, &order) && order >= 0);
}

static bool is_declarable(const struct effective *effective, const struct carrier_row *row)
{
    return apple_may_declare(effective) && apple_is_able(effective, row->type) &&
           is_recent(effective, row);
}

struct ways {
    bool by_profile, by_declaration;
};

/* The old way is kept until the device says that the new one is in force, and a profile stands in
 * for a declaration that the device cannot make use of. profile may be NULL. */
static struct ways ways_choose(const struct effective *effective, const struct apple_item *profile,
                               const struct apple_declaration *declared, bool is_declarable)
{
    const struct delivered *old = profile ? row_of(effective, profile->name) : NULL;
    const struct delivered *new = row_of(effective, declared->item);
    if (is_declarable)
        return (struct ways){.by_declaration = true,
                             .by_profile = (is_kept(old) && !is_in_force(new, declared->token)) ||
                                           is_failed(new, declared->token)};
    return (struct ways){.by_profile = true,
                         .by_declaration = profile && is_kept(new) &&
                                           apple_may_declare(effective) &&
                                           !is_in_force(old, profile->hash)};
}

/* ---- a plan ---- */

struct draft {
    struct apple_item *profiles, *fetched;
    size_t profile_count, fetched_count, wish_count;
    struct apple_wish wishes[COUNT(carrier_rows)];
};

static void profile_drop(struct draft *draft, const char *name)
{
    size_t at = 0;
    for (size_t i = 0; i < draft->profile_count; i++)
        if (!text_equal(draft->profiles[i].name, name))
            draft->profiles[at++] = draft->profiles[i];
    draft->profile_count = at;
}

/* The draft holds every profile already: what is declared alone goes, what is declared comes. */
static void carrier_choose(const struct making *making, const struct carrier_row *row,
                           struct draft *draft)
{
    bool is_meant = false;
    CLEANUP(json_decref_at) json_t *payload = row->payload(making, row, &is_meant);
    if (!payload)
        return;
    const struct apple_wish wish = {row->declared, row->type, payload};
    const struct apple_declaration declared = apple_declaration_make(making->owner, &wish);
    const struct apple_item *profile = item_find(draft->profiles, draft->profile_count, row->item);
    struct ways ways = ways_choose(making->effective, profile, &declared,
                                   is_meant && is_declarable(making->effective, row));
    if (!ways.by_profile && row->item)
        profile_drop(draft, row->item);
    if (!ways.by_declaration)
        return;
    draft->wishes[draft->wish_count] = wish;
    draft->wishes[draft->wish_count++].payload = json_incref(payload);
    if (text_equal(row->type, APPLE_LEGACY_TYPE))
        draft->fetched[draft->fetched_count++] =
            *item_find(making->fetchable, making->fetchable_count, row->item);
}

static void draft_seal(const struct making *making, struct draft *draft, struct apple_plan *out)
{
    *out = (struct apple_plan){.profiles = draft->profiles,
                               .profile_count = draft->profile_count,
                               .fetched = draft->fetched,
                               .fetched_count = draft->fetched_count};
    apple_declarations_make(making->owner, making->effective, draft->wishes, draft->wish_count,
                            &out->declarations);
    for (size_t i = 0; i < draft->wish_count; i++)
        json_decref(draft->wishes[i].payload);
}

bool apple_plan_make(void *owner, const struct effective *effective, struct apple_plan *out,
                     struct err *err)
{
    struct apple_item *fetchable = NULL;
    struct making making = {.owner = owner, .effective = effective};
    struct draft draft = {.fetched = mem_array(owner, struct apple_item, COUNT(carrier_rows))};
    if (!apple_items_make(owner, effective, &draft.profiles, &draft.profile_count, err) ||
        !apple_items_make_declared(owner, effective, &fetchable, &making.fetchable_count, err))
        return false;
    making.fetchable = fetchable;
    for (size_t i = 0; i < COUNT(carrier_rows); i++)
        carrier_choose(&making, &carrier_rows[i], &draft);
    draft_seal(&making, &draft, out);
    return true;
}

bool apple_items(void *owner, const struct effective *effective, struct wanted_item **items,
                 size_t *count, const char **declarations, struct err *err)
{
    struct apple_plan plan;
    if (!apple_plan_make(owner, effective, &plan, err))
        return false;
    struct wanted_item *wanted =
        mem_array(owner, struct wanted_item, plan.profile_count + plan.declarations.count);
    size_t at = 0;
    for (size_t i = 0; i < plan.profile_count; i++)
        wanted[at++] = (struct wanted_item){plan.profiles[i].name, plan.profiles[i].hash,
                                            plan.profiles[i].is_of_person ? CARRIER_USER_CHANNEL
                                                                          : CARRIER_COMMAND};
    for (size_t i = 0; i < plan.declarations.count; i++) {
        const struct apple_declaration *one = &plan.declarations.list[i];
        if (one->item)
            wanted[at++] = (struct wanted_item){one->item, one->token, CARRIER_DECLARATION};
    }
    *items = wanted;
    *count = at;
    *declarations = apple_may_declare(effective) ? plan.declarations.token : NULL;
    return true;
}
