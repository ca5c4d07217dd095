/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trust.h"

#include "base/text.h"

static void payload_take(const struct plist *payload, struct certificates *out)
{
    const struct plist *content = plist_get(payload, "PayloadContent");
    CLEANUP(X509_free_at) X509 *one = NULL;
    struct err ignored; /* it was looked at when the profile was parsed */
    if (text_equal(plist_text(payload, "PayloadType"), PAYLOAD_ROOT) && content &&
        content->type == PLIST_DATA && certificate_parse_der(content->data, &one, &ignored))
        certificates_add(out, one);
}

void trust_add_installed(const struct phone *phone, struct certificates *out)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    for (size_t i = 0; i < phone->profile_count; i++) {
        struct profile profile;
        struct err ignored;
        if (!phone_profile_open(scratch, &phone->profiles[i], &profile, &ignored))
            continue;
        const struct plist *content = plist_get(profile.tree, "PayloadContent");
        for (const struct plist *one = content->first; one; one = one->next)
            payload_take(one, out);
    }
}
