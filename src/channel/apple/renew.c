/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/renew.h"

#include "base/mem.h"
#include "channel/apple/profile.h"
#include "fleet/push.h"
#include "fleet/renew.h"

#define PROFILE_TYPE "application/x-apple-aspen-config"
#define SCEP_NAME "apple" /* the authority's path below /scep/ */

static bool profile_sign(struct fleet *fleet, void *owner, const struct apple_issuer *issuer,
                         const struct enrolment_start *start, struct bytes *out, struct err *err)
{
    const char *plain_url = fleet->settings->plain_url, *device_url = fleet->settings->device_url;
    const struct apple_enrolment enrolment = {
        .start = start,
        .authorities = &issuer->authorities,
        .topic = issuer->topic,
        .scep_name = SCEP_NAME,
        .scep_url = mem_format(owner, "%s/scep/" SCEP_NAME, plain_url),
        .checkin_url = mem_format(owner, "%s/apple/checkin", device_url),
        .connect_url = mem_format(owner, "%s/apple/connect", device_url),
        .sign_messages = fleet->settings->signed_messages,
    };
    struct bytes plain;
    return apple_enrolment_render(owner, &enrolment, &plain, err) &&
           keyd_sign_profile(fleet->keyd, owner, issuer->signer, plain, out, err);
}

bool apple_issuer_get(struct fleet *fleet, void *owner, struct apple_issuer *out, struct err *err)
{
    *out = (struct apple_issuer){0};
    return keyd_authorities(fleet->keyd, owner, &out->authorities, err) &&
           fleet_push_topic(fleet, owner, &out->topic, err);
}

bool apple_profile_reply(struct request *request, const struct apple_issuer *issuer,
                         const struct enrolment_start *start, struct reply *reply, struct err *err)
{
    struct bytes profile;
    if (!profile_sign(request->services, request->owner, issuer, start, &profile, err))
        return false;
    reply_bytes(reply, 200, PROFILE_TYPE, profile);
    reply_header(reply, "Cache-Control", "no-store");
    reply_header(reply, "Content-Disposition", "attachment; filename=\"enrolment.mobileconfig\"");
    return true;
}

bool apple_renewal_make(void *owner, const struct action *action, struct bytes *out,
                        struct err *err)
{
    struct fleet *fleet = action->fleet;
    struct apple_issuer issuer = {.signer = action->identity->authority};
    struct enrolment_start start;
    return keyd_authorities(fleet->keyd, owner, &issuer.authorities, err) &&
           fleet_renewal_start(fleet, action->actor, owner, action->identity, &start, &issuer.topic,
                               err) &&
           profile_sign(fleet, owner, &issuer, &start, out, err);
}
