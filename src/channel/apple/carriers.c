/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/carriers.h"

#include "base/text.h"
#include "channel/apple/settings.h"
#include "policy/version.h"

/* From these systems on the declaration has all keys that the profile has. */
#define PASSCODE_SINCE_IOS "16.2"
#define PASSCODE_SINCE_MACOS "13.1"

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

static bool is_declarable(const struct effective *effective, bool is_faithful)
{
    bool is_mac = effective->platform == PLATFORM_MACOS;
    int order;
    return is_faithful && apple_may_declare(effective) &&
           apple_is_able(effective, APPLE_PASSCODE_TYPE) &&
           version_compare(effective->os_version,
                           is_mac ? PASSCODE_SINCE_MACOS : PASSCODE_SINCE_IOS, &order) &&
           order >= 0;
}

struct ways {
    bool by_profile, by_declaration;
};

/* The old way is kept until the device says that the new one is in force, and a profile stands in
 * for a declaration that the device cannot make use of. */
static struct ways ways_choose(const struct effective *effective, const struct apple_item *profile,
                               const struct apple_declaration *declared, bool is_declarable)
{
    const struct delivered *old = row_of(effective, profile->name);
    const struct delivered *new = row_of(effective, declared->item);
    if (is_declarable)
        return (struct ways){.by_declaration = true,
                             .by_profile = (is_kept(old) && !is_in_force(new, declared->token)) ||
                                           is_failed(new, declared->token)};
    return (struct ways){.by_profile = true,
                         .by_declaration = is_kept(new) && apple_may_declare(effective) &&
                                           !is_in_force(old, profile->hash)};
}

static const struct apple_item *item_find(const struct apple_item *items, size_t count,
                                          const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(items[i].name, name))
            return &items[i];
    return NULL;
}

bool apple_plan_make(void *owner, const struct effective *effective, struct apple_plan *out,
                     struct err *err)
{
    struct apple_item *items = NULL;
    struct apple_wish wishes[2];
    size_t count = 0, at = 0, wish_count = 0;
    struct ways ways = {.by_profile = true};
    bool is_faithful = false;
    if (!apple_items_make(owner, effective, &items, &count, err))
        return false;
    CLEANUP(json_decref_at) json_t *payload = apple_passcode_declared(effective, &is_faithful);
    CLEANUP(json_decref_at) json_t *update = apple_update_declared(effective);
    const struct apple_wish wish = {APPLE_PASSCODE_DECLARED, APPLE_PASSCODE_TYPE, payload};
    const struct apple_item *passcode = item_find(items, count, APPLE_PASSCODE_ITEM);
    if (passcode && payload) {
        struct apple_declaration declared = apple_declaration_make(owner, &wish);
        ways = ways_choose(effective, passcode, &declared, is_declarable(effective, is_faithful));
    }
    for (size_t i = 0; i < count; i++)
        if (ways.by_profile || &items[i] != passcode)
            items[at++] = items[i];
    *out = (struct apple_plan){.profiles = items, .profile_count = at};
    if (ways.by_declaration)
        wishes[wish_count++] = wish;
    if (update && apple_may_declare(effective) && apple_is_able(effective, APPLE_UPDATE_TYPE))
        wishes[wish_count++] =
            (struct apple_wish){APPLE_UPDATE_DECLARED, APPLE_UPDATE_TYPE, update};
    apple_declarations_make(owner, effective, wishes, wish_count, &out->declarations);
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
        wanted[at++] =
            (struct wanted_item){plan.profiles[i].name, plan.profiles[i].hash, CARRIER_COMMAND};
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
