/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/upkeep.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fleet/door.h"
#include "fleet/enrol.h"
#include "fleet/leave.h"
#include "model/device.h"
#include "store/store.h"

#define EXPIRE_BATCH 200 /* commands in one transaction */

struct expiring {
    const struct rows *rows;
    int64_t now;
};

static bool expire_run(struct db *tx, void *context, struct err *err)
{
    const struct expiring *e = context;
    for (size_t i = 0; i < e->rows->count; i++)
        if (!store_change(tx,
                          ASK(COMMAND_EXPIRE, TEXT(rows_text(e->rows, i, "id")), INTEGER(e->now)),
                          NULL, err) ||
            !commands_outdate(tx, rows_text(e->rows, i, "enrolment_id"),
                              rows_text(e->rows, i, "kind"), NULL, err))
            return false;
    return true;
}

bool fleet_commands_expire(struct fleet *fleet, int64_t now, struct err *err)
{
    struct actor actor = fleet_system_actor(now);
    for (size_t found = EXPIRE_BATCH; found == EXPIRE_BATCH;) {
        CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
        struct rows *rows = NULL;
        if (!store_rows(fleet->db, owner,
                        ASK(COMMAND_EXPIRABLE, INTEGER(now), INTEGER(EXPIRE_BATCH)), &rows, err))
            return false;
        found = rows->count;
        struct expiring expiring = {rows, now};
        struct change change = {.actor = &actor, .work = expire_run, .context = &expiring};
        if (found > 0 && !fleet_change(fleet, &change, err))
            return false;
    }
    return true;
}

struct closing {
    void *owner;
    struct leaving leaving;
    const struct change *audited;
};

/* The device may have called, or have been asked again, since the list was made. */
static bool close_run(struct db *tx, void *context, struct err *err)
{
    const struct closing *c = context;
    int64_t now = c->leaving.now;
    struct rows *rows = NULL;
    if (!store_rows(tx, c->owner,
                    ASK(ENROLMENT_SILENT, INTEGER(now - SILENCE_SECONDS), INTEGER(1), TEXT(NULL),
                        INTEGER(now - WIPE_ANSWER_SECONDS), TEXT(c->leaving.enrolment_id)),
                    &rows, err))
        return false;
    return rows->count == 0 ||
           (enrolment_leave(tx, &c->leaving, err) && change_audit(tx, c->audited, err));
}

static bool departure_close(struct fleet *fleet, const struct rows *rows, size_t row, int64_t now,
                            struct err *err)
{
    struct actor actor = fleet_system_actor(now);
    bool wipes = strcmp(rows_text(rows, row, "state"), "wiping") == 0;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct leaving leaving = {.enrolment_id = rows_text(rows, row, "id"),
                              .device_id = rows_text(rows, row, "device_id"),
                              .state = wipes ? ENROLMENT_WIPED_UNCONFIRMED
                                             : ENROLMENT_RETIRED_UNCONFIRMED,
                              .reason = REASON_CESSATION,
                              .now = now};
    const struct change audited = {.actor = &actor,
                                   .action = "enrolment.close",
                                   .subject_kind = "enrolment",
                                   .subject_id = leaving.enrolment_id};
    struct closing closing = {owner, leaving, &audited};
    struct change change = {.actor = &actor,
                            .work = close_run,
                            .context = &closing,
                            .forget = leaving.enrolment_id,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

/* One that cannot be closed is told and left for the next run; the others are closed. */
static bool departures_batch(struct fleet *fleet, const struct rows *rows, int64_t now,
                             struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (departure_close(fleet, rows, i, now, err))
            continue;
        if (err->kind == ERR_UNAVAILABLE)
            return false;
        log_err("enrolment.unclosed", err, "enrolment", rows_text(rows, i, "id"), NULL);
    }
    return true;
}

bool fleet_departures_close(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                            struct err *err)
{
    size_t seen = 0;
    char last[64] = "";
    if (!fleet_contacts_flush(fleet, err)) /* who called a moment ago is not silent */
        return false;
    for (;;) {
        CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
        struct rows *rows = NULL;
        if (!store_rows(fleet->db, owner,
                        ASK(ENROLMENT_SILENT, INTEGER(now - SILENCE_SECONDS), INTEGER(limit),
                            TEXT(*last ? last : NULL), INTEGER(now - WIPE_ANSWER_SECONDS),
                            TEXT(NULL)),
                        &rows, err) ||
            !departures_batch(fleet, rows, now, err))
            return false;
        seen += rows->count;
        if (rows->count < (size_t)limit)
            break;
        (void)snprintf(last, sizeof(last), "%s", rows_text(rows, rows->count - 1, "id"));
    }
    *count = seen;
    return true;
}
