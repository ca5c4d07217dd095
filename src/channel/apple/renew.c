/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/renew.h"

#include "base/mem.h"
#include "channel/apple/profile.h"
#include "fleet/renew.h"

#define SCEP_NAME "apple" /* the authority's path below /scep/ */

bool apple_enrolment_sign(struct fleet *fleet, void *owner, const struct authority *authority,
                          const struct enrolment_start *start, const char *topic, struct bytes *out,
                          struct err *err)
{
    const char *plain_url = fleet->settings->plain_url, *device_url = fleet->settings->device_url;
    const struct apple_enrolment enrolment = {
        .start = start,
        .root = authority->root,
        .issuing = authority->issuing,
        .topic = topic,
        .scep_name = SCEP_NAME,
        .scep_url = mem_format(owner, "%s/scep/" SCEP_NAME, plain_url),
        .checkin_url = mem_format(owner, "%s/apple/checkin", device_url),
        .connect_url = mem_format(owner, "%s/apple/connect", device_url),
        .sign_messages = fleet->settings->signed_messages,
    };
    struct bytes plain;
    return apple_enrolment_render(owner, &enrolment, &plain, err) &&
           keyd_sign_profile(fleet->keyd, owner, plain, out, err);
}

bool apple_renewal_make(void *owner, const struct action *action, struct bytes *out,
                        struct err *err)
{
    struct fleet *fleet = action->fleet;
    struct authority authority;
    struct enrolment_start start;
    char *topic = NULL;
    return keyd_authority(fleet->keyd, owner, &authority, err) &&
           fleet_renewal_start(fleet, action->actor, owner, action->identity, &start, &topic,
                               err) &&
           apple_enrolment_sign(fleet, owner, &authority, &start, topic, out, err);
}
