/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "channel/apple/profile.h"
#include "fleet/authority.h"
#include "pki/digest.h"

struct root {
    struct bytes der;
    const char *sha256;
};

static int root_order(const void *a, const void *b)
{
    return strcmp(((const struct root *)a)->sha256, ((const struct root *)b)->sha256);
}

static void head_set(struct plist *payload, const char *type, const char *identifier,
                     const char *uuid)
{
    plist_set_text(payload, "PayloadType", type);
    plist_set_integer(payload, "PayloadVersion", 1);
    plist_set_text(payload, "PayloadIdentifier", identifier);
    plist_set_text(payload, "PayloadUUID", uuid);
}

static void root_add(void *owner, struct plist *content, const char *identifier,
                     const struct root *root)
{
    struct plist *part = plist_set_dict(content, NULL);
    head_set(part, "com.apple.security.root",
             mem_format(owner, "%s.%.16s", identifier, root->sha256),
             apple_uuid(owner, mem_format(owner, "root %s", root->sha256)));
    plist_set_text(part, "PayloadDisplayName", "Root certificate");
    plist_set_data(part, "PayloadContent", root->der);
}

struct apple_item apple_trust_make(void *owner, const struct bytes *roots, size_t count)
{
    const char *identifier = apple_item_identifier(owner, TRUST_ITEM), *seed = TRUST_ITEM;
    struct root *sorted = mem_array(owner, struct root, count + 1);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct root){roots[i], digest_sha256_hex(owner, roots[i])};
    qsort(sorted, count, sizeof(*sorted), root_order);
    for (size_t i = 0; i < count; i++)
        seed = mem_format(owner, "%s %s", seed, sorted[i].sha256);
    const char *uuid = apple_uuid(owner, seed);
    struct plist *profile = plist_new_dict(owner);
    head_set(profile, "Configuration", identifier, uuid);
    plist_set_text(profile, "PayloadDisplayName", "Trust in this organisation's servers");
    plist_set_text(profile, "PayloadScope", "System");
    struct plist *content = plist_set_array(profile, "PayloadContent");
    for (size_t i = 0; i < count; i++)
        root_add(owner, content, identifier, &sorted[i]);
    return (struct apple_item){TRUST_ITEM, uuid, profile};
}
