/* SPDX-License-Identifier: Apache-2.0 */
/* A device in its assistant proves who it is with Apple's certificate, and gets its profile. */
#include "channel/apple/automated.h"

#include "base/mem.h"
#include "channel/apple/anchors.h"
#include "channel/apple/apple.h"
#include "channel/apple/machine.h"
#include "channel/apple/profile.h"
#include "channel/apple/renew.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "fleet/automated.h"
#include "fleet/enrol.h"
#include "pki/authorities.h"
#include "pki/signed.h"

#define JSON_TYPE "application/json"

/* Counted where people look: most often it is the file that lacks the right authority. */
static bool unproven(struct request *request, struct err *err)
{
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    struct err ignored;
    CLEANUP(json_decref_at) json_t *detail = json_object();
    json_set(detail, "reason", json_string(err->text));
    json_set(detail, "peer", json_string(request->peer));
    json_set(detail, "remedy",
             json_string("if it is a device of yours: apple.device_ca_file has to hold the "
                         "authority of its certificate"));
    (void)!fleet_stranger_note(fleet_of(request), &actor, "device.unproven",
                               json_text(request->owner, detail), &ignored);
    return false;
}

static bool machine_prove(struct request *request, struct apple_machine *out, struct err *err)
{
    void *owner = request->owner;
    struct bytes anchors, plist;
    if (!apple_anchors_read(owner, "apple.device_ca_file",
                            fleet_of(request)->settings->device_ca_file,
                            "no device can prove who it is", &anchors, err))
        return false;
    if (!signed_verify(owner, request->body, anchors, &plist, err)) {
        if (err->kind == ERR_PRECONDITION) /* the file is ours, not the device's */
            err->kind = ERR_UNAVAILABLE;
        return unproven(request, err);
    }
    return apple_machine_parse(owner, plist, out, err);
}

static bool profile_give(struct request *request, const struct actor *actor,
                         const struct machine *machine, struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    struct apple_issuer issuer;
    struct enrolment_start start = {0};
    return apple_issuer_get(fleet, request->owner, &issuer, err) &&
           fleet_automated_start(fleet, actor, request->owner, machine, "apple", &start, err) &&
           apple_profile_reply(request, &issuer, &start, reply, err);
}

bool apple_automated(struct request *request, struct reply *reply, struct err *err)
{
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    struct apple_machine told;
    struct service_profile terms;
    if (!machine_prove(request, &told, err))
        return false;
    const struct machine machine = {.udid = told.udid,
                                    .serial = told.serial,
                                    .product = told.product,
                                    .os_version = told.os_version};
    if (!fleet_automated_terms(fleet_of(request), &actor, request->owner, &machine, &terms, err))
        return false;
    if (!apple_machine_is_old(&told, terms.minimum_os))
        return profile_give(request, &actor, &machine, reply, err);
    reply_bytes(reply, 403, JSON_TYPE,
                apple_machine_update_render(request->owner, terms.minimum_os));
    return true;
}

/* ---- Apple Configurator (MDM protocol, service discovery) ---- */

static void json_reply(struct request *request, struct reply *reply, const json_t *json)
{
    reply_bytes(reply, 200, JSON_TYPE, bytes_text(json_text(request->owner, json)));
}

bool apple_automated_config(struct request *request, struct reply *reply, struct err *err)
{
    const char *front = fleet_of(request)->settings->front_url;
    CLEANUP(json_decref_at) json_t *json = json_object();
    (void)err;
    json_set(json, "dep_enrollment_url",
             json_string(mem_format(request->owner, "%s" AUTOMATED_PATH, front)));
    json_set(json, "dep_anchor_certs_url",
             json_string(mem_format(request->owner, "%s" AUTOMATED_ANCHORS_PATH, front)));
    json_reply(request, reply, json);
    return true;
}

bool apple_automated_anchors(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    struct authorities all = {.count = 0};
    size_t count = 0;
    CLEANUP(json_decref_at) json_t *list = json_array();
    if (fleet->settings->front_is_own && !keyd_authorities(fleet->keyd, request->owner, &all, err))
        return false;
    const struct bytes *roots = authority_roots(request->owner, &all, &count);
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_string(base64_encode(request->owner, roots[i]))) != 0)
            bug("no anchor");
    json_reply(request, reply, list);
    return true;
}
