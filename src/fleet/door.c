/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/door.h"

#include <stdarg.h>

#include "base/id.h"
#include "codec/json.h"
#include "fleet/shared.h"
#include "store/store.h"

static const char *const actor_kind_names[] = {
    [ACTOR_SYSTEM] = "system", [ACTOR_ACCOUNT] = "account", [ACTOR_DEVICE] = "device",
    [ACTOR_PUBLIC] = "public", [ACTOR_USER] = "user",
};

bool change_audit(struct db *tx, const struct change *change, struct err *err)
{
    const struct actor *actor = change->actor;
    CLEANUP(mem_free_at) char *id = id_make(NULL);
    return store_change(tx,
                        ASK(AUDIT_INSERT, TEXT(id), TEXT(actor_kind_names[actor->kind]),
                            TEXT(actor->id), TEXT(actor->name), TEXT(change->action),
                            TEXT(change->subject_kind), TEXT(change->subject_id),
                            TEXT(change->detail ? change->detail : "{}"), TEXT(actor->reason),
                            TEXT(actor->request_id ? actor->request_id : ""), INTEGER(actor->now)),
                        NULL, err);
}

static bool change_run(struct db *tx, void *context, struct err *err)
{
    const struct change *change = context;
    if (change->work && !change->work(tx, change->context, err))
        return false;
    return !change->action || change_audit(tx, change, err);
}

bool fleet_change(struct fleet *fleet, const struct change *change, struct err *err)
{
    struct change run = *change;
    if (change->permission && !fleet_need(change->actor, change->permission, err))
        return false;
    if (!db_transaction(fleet->db, change_run, &run, err))
        return false;
    if (change->forget)
        shared_forget(fleet->shared, change->forget);
    if (change->wakes)
        shared_wake(fleet->shared);
    return true;
}

bool event_add(struct db *tx, const char *kind, const char *device_id, const char *body,
               int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) char *id = id_make(NULL);
    return store_change(
        tx, ASK(EVENT_INSERT, TEXT(id), TEXT(kind), TEXT(device_id), TEXT(body), INTEGER(now)),
        NULL, err);
}

bool job_add(struct db *tx, const char *kind, const char *subject, int64_t due_at, struct err *err)
{
    return store_change(tx, ASK(JOB_SCHEDULE, TEXT(kind), TEXT(subject), INTEGER(due_at)), NULL,
                        err);
}

char *json_pairs(void *owner, ...)
{
    CLEANUP(json_decref_at) json_t *object = json_object();
    va_list args;
    va_start(args, owner);
    const char *name;
    while ((name = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);
        if (json_object_set_new(object, name, value ? json_string(value) : json_null()) != 0)
            bug("no JSON for %s", name);
    }
    va_end(args);
    return json_text(owner, object);
}
