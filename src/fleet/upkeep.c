/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/upkeep.h"

#include <string.h>

#include "fleet/door.h"
#include "fleet/leave.h"
#include "model/device.h"
#include "store/store.h"

static bool expire_run(struct db *tx, void *context, struct err *err)
{
    const int64_t *now = context;
    return store_change(tx, ASK(COMMAND_EXPIRE, INTEGER(*now)), NULL, err);
}

bool fleet_commands_expire(struct fleet *fleet, int64_t now, struct err *err)
{
    struct actor actor = fleet_system_actor(now);
    int64_t due = 0;
    if (!store_number(fleet->db, ASK(COMMAND_EXPIRABLE, INTEGER(now)), "count", &due, err))
        return false;
    struct change change = {.actor = &actor, .work = expire_run, .context = &now};
    return due == 0 || fleet_change(fleet, &change, err);
}

static bool close_run(struct db *tx, void *context, struct err *err)
{
    return enrolment_leave(tx, context, err);
}

static bool departure_close(struct fleet *fleet, const struct rows *rows, size_t row, int64_t now,
                            struct err *err)
{
    struct actor actor = fleet_system_actor(now);
    bool wipes = strcmp(rows_text(rows, row, "state"), "wiping") == 0;
    struct leaving leaving = {.enrolment_id = rows_text(rows, row, "id"),
                              .device_id = rows_text(rows, row, "device_id"),
                              .state = wipes ? ENROLMENT_WIPED_UNCONFIRMED
                                             : ENROLMENT_RETIRED_UNCONFIRMED,
                              .reason = REASON_CESSATION,
                              .now = now};
    struct change change = {.actor = &actor,
                            .action = "enrolment.close",
                            .subject_kind = "enrolment",
                            .subject_id = leaving.enrolment_id,
                            .work = close_run,
                            .context = &leaving,
                            .forget = leaving.enrolment_id,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_departures_close(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                            struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner,
                    ASK(ENROLMENT_SILENT, INTEGER(now - SILENCE_SECONDS), INTEGER(limit)), &rows,
                    err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        if (!departure_close(fleet, rows, i, now, err))
            return false;
    *count = rows->count;
    return true;
}
