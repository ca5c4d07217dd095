/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/position.h"

#include "fleet/door.h"
#include "store/store.h"

bool position_save(struct db *tx, const char *device_id, const struct position *position,
                   int64_t now, struct err *err)
{
    int64_t kept = 0;
    return store_change(tx,
                        ASK(POSITION_KEEP, TEXT(device_id), REAL(position->latitude),
                            REAL(position->longitude), REAL(position->accuracy),
                            TIME(position->measured_at), INTEGER(now)),
                        &kept, err) &&
           (kept == 0 || event_add(tx, "device.located", device_id, "{}", now, err));
}

bool fleet_position_get(struct fleet *fleet, const struct actor *actor, void *owner,
                        const char *device_id, struct position *out, struct err *err)
{
    const struct want want = {"position", position_fields};
    struct position position = {0};
    struct change change = {.actor = actor,
                            .action = "device.position",
                            .permission = "device.locate",
                            .subject_kind = "device",
                            .subject_id = device_id,
                            .wakes = true};
    if (!fleet_need(actor, "device.locate", err) ||
        !store_get(fleet->db, owner, ASK(POSITION_GET, TEXT(device_id)), want, &position, err) ||
        !fleet_change(fleet, &change, err))
        return false;
    *out = position;
    return true;
}
