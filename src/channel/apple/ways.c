/* SPDX-License-Identifier: Apache-2.0 */
/* The way in of people who sign in: the steps are those of the sign-in page, the end is ours. */
#include "base/mem.h"
#include "channel/apple/apple.h"
#include "channel/apple/renew.h"
#include "channel/signin.h"

/* What can fail for reasons of ours is asked before the visit is used up. */
static bool profile_hand_out(struct request *request, const struct visit *visit,
                             struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    void *owner = request->owner;
    const struct actor actor = fleet_visit_actor(visit, request->id, request->now);
    struct apple_issuer issuer;
    struct enrolment_start start = {0};
    char *token = NULL;
    return apple_issuer_get(fleet, owner, &issuer, err) &&
           fleet_visit_end(fleet, &actor, owner, visit, MODE_DEVICE, &token, err) &&
           fleet_enrolment_start(fleet, &actor, owner, token, "apple", &start, err) &&
           apple_profile_reply(request, &issuer, &start, reply, err);
}

static const struct way profile_way = {
    .name = "profile",
    .path = "/enrol",
    .cookie = "__Host-muster-enrol",
    .button = "Download the profile",
    .mode = MODE_DEVICE,
    .ownership = -1,
    .hand_out = profile_hand_out,
};

bool apple_sign_in_show(struct request *request, struct reply *reply, struct err *err)
{
    return signin_show(request, &profile_way, reply, err);
}

bool apple_sign_in_post(struct request *request, struct reply *reply, struct err *err)
{
    return signin_post(request, &profile_way, reply, err);
}
