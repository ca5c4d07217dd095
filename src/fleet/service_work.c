/* SPDX-License-Identifier: Apache-2.0 */
/* What a job learns from the enrolment service, and what it has to tell it. */
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/service_own.h"
#include "store/store.h"

#define CHANGES_AT_ONCE 100 /* devices of one transaction */
#define AGAIN_SECONDS 3600  /* until a refused assignment is tried again */

/* ---- account ---- */

struct naming {
    const struct service *service;
    const struct service_account *account;
};

static bool account_run(struct db *tx, void *context, struct err *err)
{
    const struct naming *n = context;
    const struct service_account *a = n->account;
    return store_change(tx,
                        ASK(SERVICE_ACCOUNT_SET, TEXT(n->service->id), TEXT(a->server_id),
                            TEXT(a->server_name), TEXT(a->organization), TEXT(a->organization_id),
                            TEXT(a->account)),
                        NULL, err);
}

bool fleet_service_account_set(struct fleet *fleet, const struct service *service,
                               const struct service_account *account, int64_t now, struct err *err)
{
    struct naming naming = {service, account};
    (void)now;
    if (service->organization_id && account->organization_id &&
        !text_equal(service->organization_id, account->organization_id))
        return err_set(err, ERR_CONFLICT, "the token is the organisation %s's, not %s's",
                       account->organization ? account->organization : "?",
                       service->organization ? service->organization : "?");
    return db_transaction(fleet->db, account_run, &naming, err);
}

/* ---- devices ---- */

struct taking {
    const struct service *service;
    const struct service_page *page;
    size_t from, until;
    int64_t now;
};

static bool device_put(struct db *tx, const struct service_device *d, int64_t now, struct err *err)
{
    return store_change(tx,
                        ASK(SERVICE_DEVICE_PUT, TEXT(d->serial), TEXT(d->model),
                            TEXT(d->description), TEXT(d->color), TEXT(d->asset_tag),
                            TEXT(d->family), TEXT(d->os), TIME(d->assigned_at),
                            TEXT(d->assigned_by), TEXT(d->profile_status), TEXT(d->profile_uuid),
                            TIME(d->profile_assigned_at), TIME(d->profile_pushed_at), INTEGER(now)),
                        NULL, err);
}

static bool changes_run(struct db *tx, void *context, struct err *err)
{
    const struct taking *t = context;
    for (size_t i = t->from; i < t->until; i++) {
        const struct service_change *change = &t->page->changes[i];
        if (!(change->is_removed ? store_change(tx,
                                                ASK(SERVICE_DEVICE_REMOVE,
                                                    TEXT(change->device.serial), INTEGER(t->now)),
                                                NULL, err)
                                 : device_put(tx, &change->device, t->now, err)))
            return false;
    }
    return true;
}

static bool cursor_run(struct db *tx, void *context, struct err *err)
{
    const struct taking *t = context;
    const struct service_page *page = t->page;
    int64_t started = t->service->fetch_started_at ? t->service->fetch_started_at : t->now;
    bool goes_on = page->is_fetch && !page->is_last;
    if (page->is_fetch && page->is_last &&
        !store_change(tx, ASK(SERVICE_DEVICES_UNSEEN, INTEGER(started), INTEGER(t->now)), NULL,
                      err))
        return false;
    return store_change(tx,
                        ASK(SERVICE_CURSOR_SET, TEXT(t->service->id), TEXT(page->cursor),
                            TIME(goes_on ? started : 0)),
                        NULL, err);
}

bool fleet_service_page_take(struct fleet *fleet, const struct service *service,
                             const struct service_page *page, int64_t now, struct err *err)
{
    struct taking taking = {.service = service, .page = page, .now = now};
    for (size_t at = 0; at < page->count; at = taking.until) {
        size_t left = page->count - at;
        taking.from = at;
        taking.until = at + (left < CHANGES_AT_ONCE ? left : CHANGES_AT_ONCE);
        if (!db_transaction(fleet->db, changes_run, &taking, err))
            return false;
    }
    return db_transaction(fleet->db, cursor_run, &taking, err);
}

static bool refetch_run(struct db *tx, void *context, struct err *err)
{
    const struct service *service = context;
    return store_change(tx, ASK(SERVICE_CURSOR_SET, TEXT(service->id), TEXT(NULL), TIME(0)), NULL,
                        err);
}

bool fleet_service_refetch(struct fleet *fleet, const struct service *service, struct err *err)
{
    struct service copy = *service;
    return db_transaction(fleet->db, refetch_run, &copy, err);
}

/* ---- how it went ---- */

struct ending {
    const struct service *service;
    const char *problem, *remedy, *event, *body;
    int64_t now;
};

static bool ending_run(struct db *tx, void *context, struct err *err)
{
    const struct ending *e = context;
    if (!store_change(tx,
                      e->problem ? ASK(SERVICE_FAILED, TEXT(e->service->id), INTEGER(e->now),
                                       TEXT(e->problem), TEXT(e->remedy))
                                 : ASK(SERVICE_SYNCED, TEXT(e->service->id), INTEGER(e->now)),
                      NULL, err))
        return false;
    return !e->event || event_add(tx, e->event, NULL, e->body, e->now, err);
}

bool fleet_service_synced(struct fleet *fleet, const struct service *service, int64_t now,
                          struct err *err)
{
    struct ending ending = {.service = service, .now = now, .body = "{}"};
    ending.event = service->problem ? "enrolment_service.works" : NULL;
    return db_transaction(fleet->db, ending_run, &ending, err);
}

bool fleet_service_failed(struct fleet *fleet, const struct service *service, const char *problem,
                          const char *remedy, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct ending ending = {.service = service,
                            .problem = problem,
                            .remedy = remedy,
                            .body = json_pairs(owner, "reason", problem, NULL),
                            .now = now};
    ending.event = text_equal(service->problem, problem) ? NULL : "enrolment_service.failed";
    return db_transaction(fleet->db, ending_run, &ending, err);
}

/* ---- profiles ---- */

bool fleet_service_profiles_due(struct fleet *fleet, void *owner, struct service_profile **out,
                                size_t *count, struct err *err)
{
    void *items = NULL;
    if (!store_list(fleet->db, owner, ASK_ALL(SERVICE_PROFILE_DUE), service_profile_fields,
                    sizeof(struct service_profile), &items, count, err))
        return false;
    *out = items;
    return true;
}

struct telling {
    const struct service_profile *profile;
    const char *uuid, *reason;
};

static bool profile_run(struct db *tx, void *context, struct err *err)
{
    const struct telling *t = context;
    return store_change(tx,
                        t->uuid
                            ? ASK(SERVICE_PROFILE_DEFINED, TEXT(t->profile->id), TEXT(t->uuid),
                                  INTEGER(t->profile->revision))
                            : ASK(SERVICE_PROFILE_REFUSED, TEXT(t->profile->id), TEXT(t->reason)),
                        NULL, err);
}

bool fleet_service_profile_told(struct fleet *fleet, const struct service_profile *profile,
                                const char *uuid, const char *reason, int64_t now, struct err *err)
{
    struct telling telling = {profile, uuid, reason};
    (void)now;
    return db_transaction(fleet->db, profile_run, &telling, err);
}

/* ---- which device has which ---- */

static void assignment_fill(void *owner, const struct rows *rows, struct service_assignment *out)
{
    out->serials = mem_array(owner, const char *, rows->count + 1);
    for (size_t i = 0; i < rows->count; i++)
        out->serials[i] = rows_text(rows, i, "serial");
    out->count = rows->count;
}

bool fleet_service_assignment_next(struct fleet *fleet, void *owner, size_t most, int64_t now,
                                   struct service_assignment *out, struct err *err)
{
    struct rows *profiles = NULL;
    struct rows *rows = NULL;
    *out = (struct service_assignment){0};
    if (!store_rows(fleet->db, owner, ASK_ALL(SERVICE_PROFILE_ALL), &profiles, err))
        return false;
    for (size_t i = 0; i < profiles->count; i++) {
        if (!store_rows(fleet->db, owner,
                        ASK(SERVICE_DEVICE_DUE, TEXT(rows_text(profiles, i, "id")),
                            INTEGER(now - AGAIN_SECONDS), INTEGER((int64_t)most)),
                        &rows, err))
            return false;
        if (rows->count == 0)
            continue;
        out->uuid = mem_text(owner, rows_text(profiles, i, "uuid"));
        assignment_fill(owner, rows, out);
        return true;
    }
    if (!store_rows(
            fleet->db, owner,
            ASK(SERVICE_DEVICE_UNWANTED, INTEGER(now - AGAIN_SECONDS), INTEGER((int64_t)most)),
            &rows, err))
        return false;
    assignment_fill(owner, rows, out);
    return true;
}

struct settling {
    const struct service_assignment *assignment;
    const char *const *reasons;
    int64_t now;
};

static bool settle_run(struct db *tx, void *context, struct err *err)
{
    const struct settling *s = context;
    const char *uuid = s->assignment->uuid;
    for (size_t i = 0; i < s->assignment->count; i++) {
        const char *serial = s->assignment->serials[i];
        if (!store_change(tx,
                          s->reasons[i] ? ASK(SERVICE_DEVICE_REFUSED, TEXT(serial),
                                              TEXT(s->reasons[i]), INTEGER(s->now))
                                        : ASK(SERVICE_DEVICE_GIVEN, TEXT(serial), TEXT(uuid),
                                              TEXT(uuid ? "assigned" : "empty"),
                                              TIME(uuid ? s->now : 0), INTEGER(s->now)),
                          NULL, err))
            return false;
    }
    return true;
}

bool fleet_service_assignment_told(struct fleet *fleet, const struct service_assignment *assignment,
                                   const char *const *reasons, int64_t now, struct err *err)
{
    struct settling settling = {assignment, reasons, now};
    return db_transaction(fleet->db, settle_run, &settling, err);
}
