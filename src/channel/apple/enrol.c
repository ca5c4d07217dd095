/* SPDX-License-Identifier: Apache-2.0 */
/* Check-in: a device begins, renews its address, or leaves.  One function per message. */
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/apple.h"
#include "channel/apple/user.h"
#include "channel/channel.h"
#include "model/platform.h"

/* What ProductName begins with; the rest is the model's number. */
static const struct product_row {
    const char *prefix;
    enum platform platform;
} product_rows[] = {
    {"iPhone", PLATFORM_IOS}, {"iPod", PLATFORM_IOS},   {"iPad", PLATFORM_IPADOS},
    {"Mac", PLATFORM_MACOS},  {"iMac", PLATFORM_MACOS}, {"VirtualMac", PLATFORM_MACOS},
};

static bool platform_of(const char *product, int *out)
{
    for (size_t i = 0; product && i < COUNT(product_rows); i++)
        if (text_starts(product, product_rows[i].prefix)) {
            *out = product_rows[i].platform;
            return true;
        }
    return false;
}

static bool handle_authenticate(struct request *request, const struct apple_checkin *message,
                                struct err *err)
{
    const struct device_caller *caller = device_of(request);
    const struct apple_authenticate *told = &message->authenticate;
    struct device_claims claims = {
        .udid = message->sender.udid,
        .name = told->device_name,
        .model = told->model_name ? told->model_name : told->model,
        .product = told->product_name,
        .serial = told->serial_number,
        .os_version = told->os_version,
        .os_build = told->build_version,
        .topic = told->topic,
    };
    if (!platform_of(told->product_name, &claims.platform) &&
        !platform_of(told->model, &claims.platform))
        return err_at(err, ERR_BAD_INPUT, "/ProductName",
                      "this kind of device is not managed here");
    return fleet_authenticate(fleet_of(request), &caller->actor, &caller->identity, &claims, err);
}

static bool handle_token_update(struct request *request, const struct apple_checkin *message,
                                struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    const struct device_caller *caller = device_of(request);
    const struct push_address address = {
        .topic = message->token_update.topic,
        .token = message->token_update.token,
        .magic = bytes_text(message->token_update.push_magic),
        .unlock_token = message->token_update.unlock_token,
        .awaits = message->token_update.awaits,
    };
    bool is_first = false;
    if (!fleet_activate(fleet, &caller->actor, &caller->identity, &address, &is_first, err))
        return false;
    /* So that the first session carries the policy, also when this is a repeat of a message whose
     * answer was lost. The device is enrolled already: what fails here must not make it send its
     * token again, the planning job does it a little later. */
    (void)is_first;
    struct err later;
    bool is_planned = caller->identity.device_id &&
                      channel_plan(fleet, &caller->actor, caller->identity.device_id, &later);
    (void)is_planned;
    return true;
}

static bool handle_check_out(struct request *request, const struct apple_checkin *message,
                             struct err *err)
{
    (void)message; /* the certificate says who leaves */
    const struct device_caller *caller = device_of(request);
    return fleet_check_out(fleet_of(request), &caller->actor, &caller->identity, err);
}

/* What we announced no capability for: refused, and kept, since devices should not send it. */
static bool handle_unsupported(struct request *request, const struct apple_checkin *message,
                               struct err *err)
{
    return apple_anomaly(request, "device.unsupported_message", "message_type",
                         message->message_type, err) &&
           err_at(err, ERR_BAD_INPUT, "/MessageType", "%s is not supported", message->message_type);
}

static const struct checkin_handler {
    bool (*handle)(struct request *request, const struct apple_checkin *message, struct err *err);
    unsigned admits;
} handlers[] = {
    [CHECKIN_AUTHENTICATE] = {handle_authenticate, ADMIT_UNBOUND},
    /* said once and never again: a blocked device is heard, and stays blocked */
    [CHECKIN_TOKEN_UPDATE] = {handle_token_update, ADMIT_BLOCKED},
    [CHECKIN_CHECK_OUT] = {handle_check_out, ADMIT_BLOCKED},
    [CHECKIN_USER_AUTHENTICATE] = {NULL, 0}, /* of a user only: user.c */
    [CHECKIN_DECLARATIVE] = {NULL, 0},       /* answers with content: see below */
    /* the newest token alone opens the volume: it is kept for a blocked device, too */
    [CHECKIN_SET_BOOTSTRAP_TOKEN] = {apple_bootstrap_set, ADMIT_BLOCKED},
    [CHECKIN_GET_BOOTSTRAP_TOKEN] = {NULL, 0}, /* and so does this */
    [CHECKIN_UNSUPPORTED] = {handle_unsupported, 0},
};

/* A device that repeats its good-bye has left already. */
static bool has_left(const struct request *request, const struct apple_checkin *message)
{
    int state = device_of(request)->identity.enrolment_state;
    return message->kind == CHECKIN_CHECK_OUT &&
           (state == ENROLMENT_CHECKED_OUT || state == ENROLMENT_RETIRED);
}

bool apple_checkin(struct request *request, struct reply *reply, struct err *err)
{
    struct apple_checkin message;
    if (!apple_checkin_parse(request->owner, request->body, &message, err))
        return false;
    const struct checkin_handler *handler = &handlers[message.kind];
    if (!apple_admit(request, &message.sender, handler->admits, reply, err))
        return false;
    if (has_left(request, &message)) {
        reply_empty(reply, 200);
        return true;
    }
    if (reply->status)
        return true;
    fleet_contact(fleet_of(request), &device_of(request)->identity, request->now);
    if (message.sender.user_id)
        return apple_user_checkin(request, &message, reply, err);
    if (message.kind == CHECKIN_DECLARATIVE)
        return apple_declarative(request, &message.declarative, reply, err);
    if (message.kind == CHECKIN_GET_BOOTSTRAP_TOKEN)
        return apple_bootstrap_get(request, reply, err);
    if (!handler->handle(request, &message, err))
        return false;
    reply_empty(reply, 200);
    return true;
}
