/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a person on a Mac: the same certificate, another channel. */
#include "channel/apple/user.h"

#include "channel/apple/lists.h"
#include "fleet/inventory.h"
#include "fleet/user_channel.h"

#define ANSWER_SIZE_MAX 4096 /* bytes */

/* The device does not ask again for this person (Apple, UserAuthenticate). */
static void answer_unmanaged(struct reply *reply)
{
    reply_empty(reply, 410);
}

static bool user_token_update(struct request *request, const struct apple_checkin *message,
                              struct reply *reply, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    const struct apple_sender *sender = &message->sender;
    const struct user_claims claims = {sender->user_id, sender->user_name, sender->user_full_name,
                                       !message->token_update.off_console};
    const struct push_address address = {.topic = message->token_update.topic,
                                         .token = message->token_update.token,
                                         .magic = bytes_text(message->token_update.push_magic)};
    reply_empty(reply, 200);
    if (fleet_user_channel_told(fleet_of(request), &caller->actor, &caller->identity, &claims,
                                &address, err))
        return true;
    if (err->kind != ERR_PRECONDITION)
        return false;
    struct err why = *err;
    answer_unmanaged(reply);
    return apple_anomaly(request, "device.user_refused", "reason", why.text, err);
}

/* Accounts of a directory: an empty challenge says that the device needs no proof for them; what
 * it then sends decides nothing. */
static bool user_authenticate(struct request *request, const struct apple_checkin *message,
                              struct reply *reply, struct err *err)
{
    struct bytes body;
    bool wanted = false;
    answer_unmanaged(reply);
    if (!fleet_of(request)->settings->network_users)
        return true;
    if (!fleet_user_channel_wanted(fleet_of(request), &device_of(request)->identity, &wanted, err))
        return false;
    if (!wanted)
        return true;
    if (message->has_digest_response) {
        reply_empty(reply, 200);
        return true;
    }
    struct plist *answer = plist_new_dict(request->owner);
    plist_set_text(answer, "DigestChallenge", "");
    if (!plist_render(request->owner, answer, ANSWER_SIZE_MAX, &body, err))
        return false;
    reply_bytes(reply, 200, "application/xml", body);
    return true;
}

static bool user_check_out(struct request *request, const struct apple_checkin *message,
                           struct reply *reply, struct err *err)
{
    struct device_caller *caller = device_of(request);
    bool found = false;
    reply_empty(reply, 200);
    if (!fleet_user_channel_find(fleet_of(request), request->owner, &caller->identity,
                                 message->sender.user_id, &caller->identity, &found, err))
        return false;
    return !found ||
           fleet_user_channel_leave(fleet_of(request), &caller->actor, &caller->identity, err);
}

static bool user_unsupported(struct request *request, const struct apple_checkin *message,
                             struct err *err)
{
    return apple_anomaly(request, "device.unsupported_message", "message_type",
                         message->message_type, err) &&
           err_at(err, ERR_BAD_INPUT, "/MessageType", "%s is not for the channel of a person",
                  message->message_type);
}

bool apple_user_checkin(struct request *request, const struct apple_checkin *message,
                        struct reply *reply, struct err *err)
{
    switch (message->kind) {
    case CHECKIN_TOKEN_UPDATE: return user_token_update(request, message, reply, err);
    case CHECKIN_USER_AUTHENTICATE: return user_authenticate(request, message, reply, err);
    case CHECKIN_CHECK_OUT: return user_check_out(request, message, reply, err);
    case CHECKIN_AUTHENTICATE:
    case CHECKIN_DECLARATIVE:
    case CHECKIN_SET_BOOTSTRAP_TOKEN:
    case CHECKIN_GET_BOOTSTRAP_TOKEN:
    case CHECKIN_UNSUPPORTED: return user_unsupported(request, message, err);
    }
    bug("check-in kind %d", (int)message->kind);
}

bool apple_user_enter(struct request *request, const struct apple_sender *sender, bool *found,
                      struct err *err)
{
    struct device_caller *caller = device_of(request);
    if (!fleet_user_channel_find(fleet_of(request), request->owner, &caller->identity,
                                 sender->user_id, &caller->identity, found, err))
        return false;
    if (*found)
        fleet_contact(fleet_of(request), &caller->identity, request->now);
    return true;
}

bool apple_user_told(struct request *request, const struct apple_result *message, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    struct reported_list list;
    if (!apple_list_read(request->owner, message->answer, &list) || list.kind != INVENTORY_PROFILE)
        return true;
    return fleet_user_channel_profiles(fleet_of(request), &caller->actor, &caller->identity,
                                       list.count, err);
}
