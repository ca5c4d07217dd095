/* SPDX-License-Identifier: Apache-2.0 */
/* The connection with the enrolment service: key, token, account, and how it fares. */
#include "fleet/service.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/service_own.h"
#include "pki/keyd.h"
#include "store/store.h"

#define DAY_SECONDS INT64_C(86400)

bool service_find(struct db *db, void *owner, struct service *out, bool *found, struct err *err)
{
    *out = (struct service){0};
    return store_find(db, owner, ASK_ALL(SERVICE_GET), service_fields, out, found, err);
}

bool service_hasten(struct db *tx, int64_t now, struct err *err)
{
    return job_add(tx, SERVICE_JOB, SERVICE_JOB_SUBJECT, now, err);
}

/* ---- key ---- */

struct making {
    const char *id;
    struct bytes certificate, sealed_key;
    int64_t now;
};

static bool key_run(struct db *tx, void *context, struct err *err)
{
    const struct making *m = context;
    return store_change(tx,
                        ASK(SERVICE_INSERT, TEXT(m->id), BYTES(m->certificate),
                            BYTES(m->sealed_key), INTEGER(m->now)),
                        NULL, err);
}

static bool key_make(struct fleet *fleet, const struct actor *actor, void *owner, struct err *err)
{
    struct making making = {.id = id_make(owner), .now = actor->now};
    struct change change = {.actor = actor,
                            .action = "enrolment_service.key",
                            .subject_kind = "enrolment_service",
                            .subject_id = making.id,
                            .work = key_run,
                            .context = &making};
    return keyd_make_recipient(fleet->keyd, owner, "Muster enrolment service", &making.certificate,
                               &making.sealed_key, err) &&
           fleet_change(fleet, &change, err);
}

bool fleet_service_key(struct fleet *fleet, const struct actor *actor, void *owner,
                       struct bytes *certificate, struct err *err)
{
    struct service service;
    bool found = false;
    if (!fleet_need(actor, "apple.write", err) ||
        !service_find(fleet->db, owner, &service, &found, err))
        return false;
    if (!found && (!key_make(fleet, actor, owner, err) ||
                   !service_find(fleet->db, owner, &service, &found, err)))
        return false;
    if (!found)
        return err_set(err, ERR_UNAVAILABLE, "the key was not kept");
    *certificate = service.certificate;
    return true;
}

bool fleet_service_get(struct fleet *fleet, const struct actor *actor, void *owner,
                       struct service_view *out, struct err *err)
{
    struct service_view view = {.state = "none"};
    bool found = false;
    if (!fleet_need(actor, "apple.read", err) ||
        !service_find(fleet->db, owner, &view.service, &found, err) ||
        !store_number(fleet->db, ASK_ALL(SERVICE_DEVICE_COUNT), "count", &view.device_count, err))
        return false;
    if (found && view.service.sealed_token.data)
        view.state = view.service.expires_at <= actor->now ? "expired" : "active";
    else if (found)
        view.state = "requested";
    *out = view;
    return true;
}

/* ---- token ---- */

struct keeping {
    const struct service *service;
    const struct service_token *token;
    struct bytes sealed;
    bool is_other;
    int64_t now;
};

static bool token_run(struct db *tx, void *context, struct err *err)
{
    const struct keeping *k = context;
    if (k->is_other &&
        (!store_change(tx, ASK(SERVICE_FORGET, TEXT(k->service->id)), NULL, err) ||
         !store_change(tx, ASK(SERVICE_DEVICES_UNSEEN, INTEGER(INT64_MAX), INTEGER(k->now)), NULL,
                       err)))
        return false;
    return store_change_one(tx,
                            ASK(SERVICE_TOKEN_SET, TEXT(k->service->id), BYTES(k->sealed),
                                TEXT(k->token->consumer), INTEGER(k->token->expires_at),
                                INTEGER(k->now)),
                            "the key is gone", err) &&
           service_hasten(tx, k->now, err);
}

static bool token_check(const struct service *service, const struct service_token *token,
                        int64_t now, struct err *err)
{
    if (token->expires_at <= now)
        return err_set(err, ERR_BAD_INPUT, "the token has ended");
    if (!service->consumer || token->replaces || text_equal(service->consumer, token->consumer))
        return true;
    (void)err_set(err, ERR_CONFLICT, "the token is for another server than the one in use");
    err->remedy = "download it for the same server, or say that all devices are to be forgotten "
                  "(--replace)";
    return false;
}

bool fleet_service_token_set(struct fleet *fleet, const struct actor *actor,
                             const struct service_token *token, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct service service;
    bool found = false;
    if (!fleet_need(actor, "apple.write", err) ||
        !service_find(fleet->db, owner, &service, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_PRECONDITION, "no key was made that a token could be for");
    struct keeping keeping = {.service = &service, .token = token, .now = actor->now};
    keeping.is_other = service.consumer && !text_equal(service.consumer, token->consumer);
    if (!token_check(&service, token, actor->now, err) ||
        !keyd_seal(fleet->keyd, owner, KEYD_CLASS_CONNECTOR, service.id, token->plain,
                   &keeping.sealed, err))
        return false;
    struct change change = {.actor = actor,
                            .action = "enrolment_service.token",
                            .subject_kind = "enrolment_service",
                            .subject_id = service.id,
                            .detail = json_pairs(owner, "expires_at",
                                                 time_text(owner, token->expires_at), "server",
                                                 keeping.is_other ? "another" : "the same", NULL),
                            .work = token_run,
                            .context = &keeping,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool fleet_service_open(struct fleet *fleet, void *owner, struct service *out, struct bytes *plain,
                        bool *found, struct err *err)
{
    struct service service;
    bool is_there = false;
    if (!service_find(fleet->db, owner, &service, &is_there, err))
        return false;
    *found = is_there && service.sealed_token.data;
    if (!*found)
        return true;
    *out = service;
    return keyd_open(fleet->keyd, owner, KEYD_CLASS_CONNECTOR, service.id, service.sealed_token,
                     plain, err);
}

/* ---- now ---- */

static bool sync_run(struct db *tx, void *context, struct err *err)
{
    const int64_t *now = context;
    return service_hasten(tx, *now, err);
}

bool fleet_service_sync(struct fleet *fleet, const struct actor *actor, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct service service;
    bool found = false;
    int64_t now = actor->now;
    if (!fleet_need(actor, "apple.write", err) ||
        !service_find(fleet->db, owner, &service, &found, err))
        return false;
    if (!found || !service.sealed_token.data) {
        (void)err_set(err, ERR_PRECONDITION, "there is no token of the enrolment service");
        err->remedy = "muster apple enrolment-service import FILE";
        return false;
    }
    struct change change = {.actor = actor,
                            .action = "enrolment_service.sync",
                            .subject_kind = "enrolment_service",
                            .subject_id = service.id,
                            .work = sync_run,
                            .context = &now,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

/* ---- before the token ends ---- */

static const int64_t warn_days[] = {1, 7, 14, 30, 60};

struct warning {
    const char *id, *body;
    int64_t days, now;
};

static bool warn_run(struct db *tx, void *context, struct err *err)
{
    const struct warning *w = context;
    int64_t changed = 0;
    return store_change(tx, ASK(SERVICE_WARNED, TEXT(w->id), INTEGER(w->days)), &changed, err) &&
           (changed == 0 || event_add(tx, "enrolment_service.expires", NULL, w->body, w->now, err));
}

bool fleet_service_warn(struct fleet *fleet, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct service service;
    bool found = false;
    if (!service_find(fleet->db, owner, &service, &found, err))
        return false;
    struct warning warning = {.id = service.id, .now = now};
    for (size_t i = COUNT(warn_days); found && service.expires_at && i-- > 0;)
        if (service.expires_at - now <= warn_days[i] * DAY_SECONDS)
            warning.days = warn_days[i];
    if (warning.days == 0 || (service.warned_days && service.warned_days <= warning.days))
        return true;
    warning.body = json_pairs(owner, "days", mem_format(owner, "%lld", (long long)warning.days),
                              "expires_at", time_text(owner, service.expires_at), "server",
                              service.server_name ? service.server_name : "", NULL);
    return db_transaction(fleet->db, warn_run, &warning, err);
}
