/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles that devices fetch by themselves, because a declaration names them.  Nothing is made out
 * of the path: it names one profile that the asking device is declared now, or none.
 */
#include "base/text.h"
#include "channel/apple/apple.h"
#include "channel/apple/carriers.h"
#include "pki/keyd.h"

#define PROFILE_TYPE "application/x-apple-aspen-config"

static const struct apple_item *fetched_find(const struct apple_plan *plan, const char *name,
                                             const char *hash)
{
    for (size_t i = 0; i < plan->fetched_count; i++)
        if (text_equal(plan->fetched[i].name, name) && text_equal(plan->fetched[i].hash, hash))
            return &plan->fetched[i];
    return NULL;
}

/* The hash is of the content; the bytes differ by their signature. Nobody on the way may keep what
 * is meant for one device. */
static bool give(struct request *request, const struct apple_item *item, struct reply *reply,
                 struct err *err)
{
    const char *tag = mem_format(request->owner, "\"%s\"", item->hash);
    struct bytes plain, profile;
    if (text_equal(request_header(request, "If-None-Match"), tag))
        reply_empty(reply, 304);
    else if (plist_render(request->owner, item->profile, APPLE_PROFILE_SIZE_MAX, &plain, err) &&
             keyd_sign_profile(fleet_of(request)->keyd, request->owner,
                               device_of(request)->identity.authority, plain, &profile, err))
        reply_bytes(reply, 200, PROFILE_TYPE, profile);
    else
        return false;
    reply_header(reply, "ETag", tag);
    reply_header(reply, "Cache-Control", "private, no-store");
    return true;
}

bool apple_profile_fetch(struct request *request, struct reply *reply, struct err *err)
{
    struct effective effective = {0};
    struct apple_plan plan = {0};
    bool found;
    if (!apple_admit_enrolment(request, 0, reply, err))
        return false;
    if (reply->status)
        return true;
    if (!apple_plan_of(request, &effective, &plan, &found, err))
        return false;
    const struct apple_item *item = fetched_find(&plan, request->params[0], request->params[1]);
    if (item)
        return give(request, item, reply, err);
    reply_empty(reply, 404);
    return true;
}
