/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/leave.h"

#include "base/id.h"
#include "fleet/bootstrap.h"
#include "fleet/door.h"
#include "fleet/queue.h"
#include "fleet/shared.h"
#include "fleet/step.h"
#include "fleet/user_channel.h"
#include "model/device.h"
#include "store/store.h"

bool crl_due(struct db *tx, int64_t now, struct err *err)
{
    return job_add(tx, "revocation_list", "devices", now, err);
}

static bool left_event(struct db *tx, const struct leaving *leaving, struct err *err)
{
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "enrolment", leaving->enrolment_id, "state",
                            enrolment_state_names[leaving->state], NULL);
    return event_add(tx, "device.left", leaving->device_id, body, leaving->now, err);
}

/* What is no longer managed is no longer judged. A device that is managed by another enrolment has
 * not left: this one was replaced, or never got beyond its beginning. */
static bool device_leave(struct db *tx, const struct leaving *leaving, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (leaving->state == ENROLMENT_SUPERSEDED || !leaving->device_id)
        return left_event(tx, leaving, err);
    if (!store_rows(tx, owner, ASK(ENROLMENT_CURRENT, TEXT(leaving->device_id)), &rows, err))
        return false;
    return rows->count > 0 ||
           (store_change(tx, ASK(COMPLIANCE_END, TEXT(leaving->device_id)), NULL, err) &&
            left_event(tx, leaving, err));
}

bool enrolment_leave(struct db *tx, const struct leaving *leaving, struct err *err)
{
    const char *id = leaving->enrolment_id;
    int64_t changed = 0;
    if (!store_change(tx,
                      ASK(ENROLMENT_SET_STATE, TEXT(id),
                          TEXT(enrolment_state_names[leaving->state]), INTEGER(leaving->now)),
                      &changed, err))
        return false;
    if (changed == 0)
        return true; /* it left meanwhile */
    return store_change(tx,
                        ASK(COMMAND_END_OF_ENROLMENT, TEXT(id),
                            TEXT(command_state_names[COMMAND_CANCELLED]), INTEGER(leaving->now),
                            TEXT(NULL)),
                        NULL, err) &&
           commands_outdate(tx, id, NULL, NULL, err) &&
           store_change(tx, ASK(CHALLENGE_CANCEL_OF_ENROLMENT, TEXT(id)), NULL, err) &&
           store_change(tx,
                        ASK(CERTIFICATE_REVOKE_OF_ENROLMENT, TEXT(id), INTEGER(leaving->now),
                            TEXT(revocation_reason_names[leaving->reason])),
                        NULL, err) &&
           store_change(tx, ASK(DELIVERED_CLEAR, TEXT(id)), NULL, err) &&
           store_change(tx, ASK(DECLARATION_CLEAR, TEXT(id), TEXT(NULL)), NULL, err) &&
           bootstrap_end(tx, leaving, err) && user_channels_end(tx, id, leaving->now, err) &&
           crl_due(tx, leaving->now, err) && device_leave(tx, leaving, err);
}

bool commands_outdate(struct db *tx, const char *enrolment_id, const char *kind, const char *item,
                      struct err *err)
{
    return store_change(tx, ASK(COMMAND_OUTDATE, TEXT(enrolment_id), TEXT(kind), TEXT(item)), NULL,
                        err);
}

void leave_forget(struct fleet *fleet, char *const *enrolment_ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        shared_forget(fleet->shared, enrolment_ids[i]);
}

bool step_add(struct db *tx, const char *challenge_id, int step, const char *outcome,
              const char *detail, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) char *id = id_make(NULL);
    return store_change(tx,
                        ASK(CERTIFICATE_STEP_INSERT, TEXT(id), TEXT(challenge_id), INTEGER(step),
                            TEXT(outcome), TEXT(detail), INTEGER(now)),
                        NULL, err);
}

bool query_add(struct db *tx, const char *enrolment_id, enum command_kind kind, int64_t now,
               struct err *err)
{
    struct queued queued = {
        .enrolment_id = enrolment_id, .kind = kind, .created_by = "system", .now = now};
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(tx, owner,
                    ASK(COMMAND_OPEN_OF_KIND, TEXT(enrolment_id), TEXT(command_kind_names[kind]),
                        TEXT(NULL)),
                    &rows, err))
        return false;
    return rows->count > 0 || command_queue(tx, &queued, err);
}
