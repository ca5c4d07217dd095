/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the conversation with Apple's device enrolment service; the job comes again. */
#include "channel/apple/service.h"

#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/automated.h"
#include "channel/apple/service_client.h"
#include "channel/apple/service_message.h"
#include "fleet/service.h"
#include "pki/authorities.h"
#include "pki/recipient.h"

#define SYNC_SECONDS (30 * 60) /* Apple: no more often than that without a reason */
#define FAILED_SECONDS (5 * 60)

struct speaker { /* with the service; belongs to the job's thread */
    const struct channel_settings *options;
    struct service_client *client;
    int64_t imported_at; /* the token that the session is of */
};

struct step {
    struct fleet *fleet;
    struct speaker *speaker;
    void *owner;
    struct service service;
    struct apple_token token;
    struct service_reply reply;
    int64_t now;
    bool is_more; /* come again at once */
};

/* ---- the token comes in ---- */

bool apple_service_import(struct fleet *fleet, const struct actor *actor, struct bytes file,
                          bool replaces, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct service_view view;
    struct apple_token token = {0};
    struct bytes cms, plain;
    if (!fleet_need(actor, "apple.write", err) ||
        !fleet_service_get(fleet, actor, owner, &view, err))
        return false;
    const struct recipient recipient = {view.service.certificate, view.service.sealed_key};
    if (!recipient.certificate.data) {
        (void)err_set(err, ERR_PRECONDITION, "no key was made that a token could be for");
        err->remedy = "muster apple enrolment-service public-key";
        return false;
    }
    if (!apple_token_unwrap(owner, file, &cms, err))
        return false;
    if (!recipient_open(fleet->keyd, owner, &recipient, cms, &plain, err)) {
        if (err->kind == ERR_PRECONDITION)
            err->remedy =
                "upload the public key of this server there, and download the token again";
        return false;
    }
    bool parsed = apple_token_parse(owner, plain, &token, err);
    bytes_wipe((void *)(uintptr_t)plain.data, plain.size);
    if (!parsed)
        return false;
    const struct service_token kept = {.consumer = token.consumer_key,
                                       .expires_at = token.expires_at,
                                       .plain = apple_token_store(owner, &token),
                                       .replaces = replaces};
    bool worked = fleet_service_token_set(fleet, actor, &kept, err);
    bytes_wipe((void *)(uintptr_t)kept.plain.data, kept.plain.size);
    return worked;
}

/* ---- one step ---- */

static bool call(struct step *step, const char *method, const char *path, struct bytes body,
                 struct err *err)
{
    const struct service_call call = {
        .method = method, .path = path, .body = body, .token = &step->token, .now = step->now};
    return service_client_call(step->speaker->client, step->owner, &call, &step->reply, err);
}

static bool account_look(struct step *step, struct err *err)
{
    struct service_account account;
    if (!call(step, "GET", "/account", NO_BYTES, err))
        return false;
    return apple_service_account_parse(step->owner, step->reply.body, &account, err) &&
           fleet_service_account_set(step->fleet, &step->service, &account, step->now, err);
}

/* A cursor of a fetch that was under way goes on with the fetch; one that is whole is for what
 * changed since. */
static bool page_look(struct step *step, struct err *err)
{
    struct service_page page;
    const struct service *service = &step->service;
    bool is_fetch = !service->cursor || service->fetch_started_at;
    struct bytes body = apple_service_page_render(step->owner, service->cursor);
    if (!call(step, "POST", is_fetch ? "/server/devices" : "/devices/sync", body, err)) {
        if (!service->cursor || !apple_service_cursor_is_gone(step->reply.word))
            return false;
        step->is_more = true;
        return fleet_service_refetch(step->fleet, service, err);
    }
    if (!apple_service_page_parse(step->owner, step->reply.body, &page, err))
        return false;
    page.is_fetch = is_fetch;
    step->is_more = !page.is_last;
    return fleet_service_page_take(step->fleet, service, &page, step->now, err);
}

/* A profile that the service refuses for what it says is noted and does not stop the others. */
static bool profile_tell(struct step *step, const struct service_profile *profile,
                         const struct service_way *way, struct err *err)
{
    char *uuid = NULL;
    struct bytes body = apple_service_profile_render(step->owner, profile, way);
    if (call(step, "POST", "/profile", body, err))
        return apple_service_profile_parse(step->owner, step->reply.body, &uuid, err) &&
               fleet_service_profile_told(step->fleet, profile, uuid, NULL, step->now, err);
    return step->reply.status == 400 &&
           fleet_service_profile_told(step->fleet, profile, NULL, err->text, step->now, err);
}

static bool profiles_tell(struct step *step, struct err *err)
{
    struct service_profile *profiles = NULL;
    struct authorities all = {.count = 0};
    size_t count = 0, anchor_count = 0;
    if (!fleet_service_profiles_due(step->fleet, step->owner, &profiles, &count, err) ||
        (count > 0 && !keyd_authorities(step->fleet->keyd, step->owner, &all, err)))
        return false;
    const struct bytes *anchors = authority_roots(step->owner, &all, &anchor_count);
    const struct service_way way = {
        .url = mem_format(step->owner, "%s" AUTOMATED_PATH, step->fleet->settings->front_url),
        .anchors = anchors,
        .anchor_count = step->fleet->settings->front_is_own ? anchor_count : 0,
        .magic = step->service.id};
    for (size_t i = 0; i < count; i++)
        if (!profile_tell(step, &profiles[i], &way, err))
            return false;
    return true;
}

static bool assignment_tell(struct step *step, struct err *err)
{
    struct service_assignment next;
    if (!fleet_service_assignment_next(step->fleet, step->owner, SERVICE_BATCH_MAX, step->now,
                                       &next, err))
        return false;
    if (next.count == 0)
        return true;
    const char **reasons = mem_array(step->owner, const char *, next.count);
    struct bytes body = apple_service_assignment_render(step->owner, &next);
    step->is_more = true;
    return call(step, next.uuid ? "PUT" : "DELETE", "/profile/devices", body, err) &&
           apple_service_results_parse(step->owner, step->reply.body, &next, reasons, err) &&
           fleet_service_assignment_told(step->fleet, &next, reasons, step->now, err);
}

static bool step_take(struct step *step, struct err *err)
{
    if (!step->service.server_id && !step->service.server_name && !account_look(step, err))
        return false;
    return page_look(step, err) &&
           (step->is_more || (profiles_tell(step, err) && assignment_tell(step, err))) &&
           (step->is_more || fleet_service_synced(step->fleet, &step->service, step->now, err));
}

static bool speaker_ready(struct step *step, struct bytes plain, struct err *err)
{
    struct speaker *speaker = step->speaker;
    const struct service_client_settings where = {speaker->options->service_url,
                                                  speaker->options->service_ca_file};
    bool loaded = apple_token_load(step->owner, plain, &step->token, err);
    bytes_wipe((void *)(uintptr_t)plain.data, plain.size);
    if (!loaded ||
        (!speaker->client && !service_client_open(speaker, &where, &speaker->client, err)))
        return false;
    if (speaker->imported_at != step->service.imported_at)
        service_client_forget(speaker->client);
    speaker->imported_at = step->service.imported_at;
    return true;
}

/* What went wrong there is for people to see; the job itself has done its part. */
static bool failed(struct step *step, const struct err *why, int64_t *again_at, struct err *err)
{
    int64_t pause = step->reply.retry_after > 0 ? step->reply.retry_after : FAILED_SECONDS;
    *again_at = step->now + pause;
    return fleet_service_failed(step->fleet, &step->service, why->text, why->remedy, step->now,
                                err);
}

bool apple_service_open(void *owner, const struct channel_settings *options, void **state,
                        struct err *err)
{
    (void)err;
    struct speaker *speaker = mem_new(owner, struct speaker);
    speaker->options = options;
    *state = speaker;
    return true;
}

bool apple_service_work(struct fleet *fleet, void *state, int64_t now, int64_t *again_at,
                        struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct step step = {.fleet = fleet, .speaker = state, .owner = owner, .now = now};
    struct bytes plain = NO_BYTES;
    struct err why;
    bool found = false;
    if (!fleet_service_open(fleet, owner, &step.service, &plain, &found, err))
        return false;
    if (!found)
        return true;
    if (!speaker_ready(&step, plain, &why) || !step_take(&step, &why))
        return failed(&step, &why, again_at, err);
    *again_at = step.is_more ? now : now + SYNC_SECONDS;
    return true;
}
