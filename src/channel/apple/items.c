/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/items.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/profile.h"
#include "channel/apple/settings.h"
#include "channel/apple/trust.h"
#include "pki/digest.h"

/* Part of every hash: raise it when the same values must be delivered again in another form. */
#define ITEM_FORMAT 1

char *apple_item_identifier(void *owner, const char *item)
{
    return mem_format(owner, APPLE_ITEM_PREFIX "%s", item);
}

const char *apple_item_of_identifier(const char *identifier)
{
    size_t size = strlen(APPLE_ITEM_PREFIX);
    return text_starts(identifier, APPLE_ITEM_PREFIX) && identifier[size] != '\0'
               ? identifier + size
               : NULL;
}

/* ---- one item ---- */

/* The hash covers all that a device would see of the item: its frame without identifiers that are
 * made of the hash itself. */
static bool hash_make(void *owner, const struct plist *profile, char **out, struct err *err)
{
    struct bytes rendered;
    uint8_t digest[32];
    CLEANUP(mem_free_at) struct plist *whole = plist_new_dict(NULL);
    plist_set_integer(whole, "format", ITEM_FORMAT);
    plist_set_copy(whole, "profile", profile);
    if (!plist_render(whole, whole, APPLE_PROFILE_SIZE_MAX, &rendered, err))
        return false;
    digest_sha256(rendered, digest);
    *out = id_from_digest(owner, digest);
    return true;
}

static struct plist *frame_make(void *owner, const struct apple_payload *payload,
                                const char *identifier)
{
    struct plist *profile = plist_new_dict(owner);
    plist_set_text(profile, "PayloadType", "Configuration");
    plist_set_integer(profile, "PayloadVersion", 1);
    plist_set_text(profile, "PayloadIdentifier", identifier);
    plist_set_text(profile, "PayloadDisplayName", payload->title);
    /* a Mac's computer, or one of its users */
    plist_set_text(profile, "PayloadScope", payload->is_of_person ? "User" : "System");
    return profile;
}

static void content_add(struct plist *profile, const struct apple_payload *payload,
                        const char *identifier, const char *uuid)
{
    struct plist *content = plist_set_array(profile, "PayloadContent");
    struct plist *part = plist_set_dict(content, NULL);
    plist_set_text(part, "PayloadType", payload->type);
    plist_set_integer(part, "PayloadVersion", 1);
    plist_set_text(part, "PayloadIdentifier", identifier);
    if (uuid)
        plist_set_text(part, "PayloadUUID", uuid);
    for (const struct plist *key = payload->content->first; key; key = key->next)
        plist_set_copy(part, key->key, key);
}

static bool item_make(void *owner, const struct apple_payload *payload, const char *prefix,
                      struct apple_item *out, struct err *err)
{
    char *hash = NULL;
    const char *identifier = mem_format(owner, "%s%s", prefix, payload->item);
    const char *inner = mem_format(owner, "%s.settings", identifier);
    CLEANUP(mem_free_at) struct plist *draft = frame_make(NULL, payload, identifier);
    content_add(draft, payload, inner, NULL);
    if (!hash_make(owner, draft, &hash, err))
        return false;
    struct plist *profile = frame_make(owner, payload, identifier);
    plist_set_text(profile, "PayloadUUID", hash);
    content_add(profile, payload, inner, apple_uuid(owner, mem_format(owner, "%s settings", hash)));
    *out = (struct apple_item){payload->item, hash, profile, payload->is_of_person};
    return true;
}

static bool items_make(void *owner, const struct effective *effective, const char *prefix,
                       struct apple_item **items, size_t *count, struct err *err)
{
    struct apple_payload *payloads = NULL;
    size_t payload_count = 0;
    apple_payloads_make(owner, effective, &payloads, &payload_count);
    struct apple_item *made = mem_array(owner, struct apple_item, payload_count + 1);
    for (size_t i = 0; i < payload_count; i++)
        if (!item_make(owner, &payloads[i], prefix, &made[i], err))
            return err_context(err, "item %s", payloads[i].item);
    *items = made;
    *count = payload_count;
    return true;
}

bool apple_items_make(void *owner, const struct effective *effective, struct apple_item **items,
                      size_t *count, struct err *err)
{
    if (!items_make(owner, effective, APPLE_ITEM_PREFIX, items, count, err))
        return false;
    if (effective->root_count > 0) /* there is room for one more */
        (*items)[(*count)++] = apple_trust_make(owner, effective->roots, effective->root_count);
    return true;
}

bool apple_items_make_declared(void *owner, const struct effective *effective,
                               struct apple_item **items, size_t *count, struct err *err)
{
    return items_make(owner, effective, APPLE_ITEM_DECLARED_PREFIX, items, count, err);
}
