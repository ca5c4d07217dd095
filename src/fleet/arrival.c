/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/arrival.h"

#include <string.h>

#include "base/text.h"
#include "fleet/door.h"
#include "model/device.h"
#include "model/fact.h"
#include "model/inventory.h"
#include "policy/comply.h"
#include "store/store.h"

bool arrival_claims(struct db *tx, const char *enrolment_id, const struct device_claims *claims,
                    int64_t now, struct err *err)
{
    const struct {
        const char *name, *value;
    } told[] = {{FACT_OS_VERSION, claims->os_version},
                {"os.build", claims->os_build},
                {"device.model", claims->model},
                {"device.product", claims->product},
                {"device.serial", claims->serial}};
    for (size_t i = 0; i < COUNT(told); i++)
        if (told[i].value && *told[i].value &&
            !store_change(tx,
                          ASK(FACT_UPSERT, TEXT(enrolment_id), TEXT(told[i].name),
                              TEXT(told[i].value), TEXT(evidence_names[EVIDENCE_MEASURED]),
                              TEXT("enrolment"), INTEGER(now)),
                          NULL, err))
            return false;
    return true;
}

/* Profiles too: those that management brought are told again. */
static bool private_forget(struct db *tx, const char *device_id, struct err *err)
{
    static const enum inventory_kind kinds[] = {INVENTORY_APP, INVENTORY_CERTIFICATE,
                                                INVENTORY_PROFILE};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *kind = inventory_kind_names[kinds[i]];
        if (!store_change(tx, ASK(INVENTORY_FORGET, TEXT(device_id), TEXT(kind)), NULL, err) ||
            !store_change(tx, ASK(INVENTORY_UNTELL, TEXT(device_id), TEXT(kind)), NULL, err))
            return false;
    }
    for (size_t i = 0; fact_private_areas[i]; i++)
        if (!store_change(tx, ASK(FACT_PRIVATE_DROP, TEXT(device_id), TEXT(fact_private_areas[i])),
                          NULL, err))
            return false;
    return true;
}

bool arrival_ownership(struct db *tx, const char *enrolment_id, const char *device_id, int64_t now,
                       struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *links = NULL;
    int64_t changed = 0;
    if (!store_rows(tx, owner, ASK(ENROLMENT_LINK_OF, TEXT(enrolment_id)), &links, err))
        return false;
    if (links->count == 0)
        return true;
    const char *whose = rows_text(links, 0, "ownership");
    if (!store_change(tx, ASK(DEVICE_SET_OWNERSHIP, TEXT(device_id), TEXT(whose)), &changed, err))
        return false;
    if (changed == 0)
        return true;
    const struct actor system = fleet_system_actor(now);
    const char *detail = json_pairs(owner, "ownership", whose, "enrolment", enrolment_id, "link",
                                    rows_text(links, 0, "id"), NULL);
    const struct change change = {.actor = &system,
                                  .action = "device.ownership",
                                  .subject_kind = "device",
                                  .subject_id = device_id,
                                  .detail = detail};
    bool is_personal = text_equal(whose, ownership_names[OWNERSHIP_PERSONAL]);
    return (!is_personal || private_forget(tx, device_id, err)) && change_audit(tx, &change, err) &&
           event_add(tx, "device.ownership", device_id, detail, now, err);
}
