/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap tokens: a Mac leaves one with its server and asks for it when somebody signs in. */
#include "fleet/bootstrap.h"

#include "channel/apple/apple.h"

#define ANSWER_SIZE_MAX 65536 /* bytes */

bool apple_bootstrap_set(struct request *request, const struct apple_checkin *message,
                         struct err *err)
{
    const struct device_caller *caller = device_of(request);
    return fleet_bootstrap_keep(fleet_of(request), &caller->actor, &caller->identity,
                                message->bootstrap_token, err);
}

bool apple_bootstrap_get(struct request *request, struct reply *reply, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    struct bytes token, body;
    if (!fleet_bootstrap_give(fleet_of(request), &caller->actor, request->owner, &caller->identity,
                              &token, err))
        return false;
    if (token.size == 0) { /* none: an answer without content says so */
        reply_empty(reply, 200);
        return true;
    }
    struct plist *answer = plist_new_dict(request->owner);
    plist_set_data(answer, "BootstrapToken", token);
    if (!plist_render(request->owner, answer, ANSWER_SIZE_MAX, &body, err))
        return false;
    reply_bytes(reply, 200, "application/xml", body);
    return true;
}
