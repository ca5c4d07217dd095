/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/channel.h"

#include "base/id.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/uri.h"
#include "sim/signed.h"

#define CHECK_IN_TYPE "application/x-apple-aspen-mdm-checkin"
#define REPORT_TYPE "application/x-apple-aspen-mdm; charset=UTF-8"
#define RIGHT_DEVICE_INFORMATION 16

void report_message(json_t *report, const char *message, int status)
{
    if (!report)
        return;
    json_t *list = json_object_get(report, "messages");
    if (!list) {
        list = json_array();
        json_object_set_new(report, "messages", list);
    }
    json_array_append_new(list, json_pack("{s:s, s:i}", "message", message, "status", status));
}

void channel_name(const struct phone *phone, struct plist *message)
{
    if (phone->enrolment.enrollment_id)
        plist_set_text(message, "EnrollmentID", phone->enrolment.enrollment_id);
    else
        plist_set_text(message, "UDID", phone->model.udid);
    if (!phone->user)
        return;
    CLEANUP(mem_free_at) char *id = mem_format(NULL, "%s %s", phone->model.udid, phone->user);
    plist_set_text(message, "UserID", id);
    plist_set_text(message, "UserShortName", phone->user);
}

struct plist *channel_message(void *owner, const struct phone *phone, const char *type)
{
    struct plist *message = plist_new_dict(owner);
    plist_set_text(message, "MessageType", type);
    channel_name(phone, message);
    plist_set_text(message, "Topic", phone->enrolment.topic);
    return message;
}

bool channel_render(void *owner, const struct plist *message, struct bytes *out, struct err *err)
{
    return plist_render(owner, message, MESSAGE_SIZE_MAX, out, err);
}

struct letter {
    const char *url, *type, *name, *uuid; /* type NULL: nothing is sent, something is fetched */
    struct bytes body;
};

static bool letter_send(struct phone *phone, void *owner, const struct letter *letter,
                        struct web_reply *out, struct err *err)
{
    struct web_request request = {.method = letter->type ? "PUT" : "GET",
                                  .url = letter->url,
                                  .content_type = letter->type,
                                  .body = letter->body};
    if (phone->enrolment.bearer)
        request.header = mem_format(owner, "Authorization: Bearer %s", phone->enrolment.bearer);
    else if (phone->enrolment.sign_message) {
        char *signature = NULL;
        if (!signature_make(owner, letter->body, phone->key, phone->certificate, &signature, err))
            return false;
        request.header = mem_format(owner, "Mdm-Signature: %s", signature);
    }
    if (!web_send(phone->web, owner, &request, out, err)) {
        if (phone->observer.exchanged)
            phone->observer.exchanged(phone->observer.context, letter->name, 0, 0);
        return err_context(err, "%s", letter->name);
    }
    ledger_message(phone->ledger, phone->model.udid, letter->name, letter->uuid, out->status);
    if (phone->observer.exchanged)
        phone->observer.exchanged(phone->observer.context, letter->name, out->status, out->seconds);
    return true;
}

bool channel_check_in(struct phone *phone, void *owner, const char *name, struct bytes body,
                      struct web_reply *out, struct err *err)
{
    struct letter letter = {phone->enrolment.check_in_url, CHECK_IN_TYPE, name, NULL, body};
    return letter_send(phone, owner, &letter, out, err);
}

bool channel_fetch(struct phone *phone, void *owner, const char *name, const char *url,
                   struct web_reply *out, struct err *err)
{
    struct letter letter = {url, NULL, name, NULL, NO_BYTES};
    return letter_send(phone, owner, &letter, out, err);
}

bool channel_report(struct phone *phone, void *owner, const char *status, const char *uuid,
                    struct bytes body, struct web_reply *out, struct err *err)
{
    struct letter letter = {phone->enrolment.server_url, REPORT_TYPE, status, uuid, body};
    return letter_send(phone, owner, &letter, out, err);
}

static bool message_deliver(struct phone *phone, const struct plist *message, const char *name,
                            json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct bytes body;
    struct web_reply reply;
    if (!channel_render(scratch, message, &body, err) ||
        !channel_check_in(phone, scratch, name, body, &reply, err))
        return false;
    report_message(report, name, reply.status);
    return reply.status == 200 ||
           err_set(err, ERR_FORBIDDEN, "the server answered %s with %d", name, reply.status);
}

bool channel_authenticate(struct phone *phone, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    const struct model *model = &phone->model;
    struct plist *message = channel_message(scratch, phone, "Authenticate");
    plist_set_text(message, "DeviceName", model->name);
    plist_set_text(message, "Model", model->model_number);
    plist_set_text(message, "ModelName", model->model_name);
    if (phone->enrolment.access_rights & RIGHT_DEVICE_INFORMATION) {
        plist_set_text(message, "OSVersion", model->os_version);
        plist_set_text(message, "BuildVersion", model->os_build);
        plist_set_text(message, "ProductName", model->product);
    }
    if ((phone->enrolment.access_rights & RIGHT_DEVICE_INFORMATION) &&
        !phone->enrolment.enrollment_id) {
        plist_set_text(message, "SerialNumber", model->serial);
        plist_set_text(message, "IMEI", model->imei);
    }
    return message_deliver(phone, message, "Authenticate", report, err);
}

/* A real device has its token from APNs; ours tells the simulated APNs that it exists. */
static bool token_register(struct phone *phone, const char *token, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    CLEANUP(mem_free_at) struct web *web = NULL;
    struct web_options options = {.timeout_seconds = 10};
    struct web_reply reply;
    if (!phone->enrolment.push_url)
        return true;
    struct web_request request = {.method = "POST",
                                  .plain_allowed = true,
                                  .url = mem_format(scratch, "%s/sim/register?token=%s&topic=%s",
                                                    phone->enrolment.push_url, token,
                                                    uri_encode(scratch, phone->enrolment.topic))};
    if (!web_open(NULL, &options, &web, err) || !web_send(web, scratch, &request, &reply, err))
        return err_context(err, "registering with the simulated APNs");
    return reply.status == 200 ||
           err_set(err, ERR_UNAVAILABLE, "the simulated APNs answered %d", reply.status);
}

bool channel_token_update(struct phone *phone, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct plist *message = channel_message(scratch, phone, "TokenUpdate");
    struct bytes token, unlock, body;
    if (!text_unhex(scratch, phone->enrolment.token, &token, err) ||
        !text_unhex(scratch, phone->enrolment.unlock_token, &unlock, err))
        return false;
    plist_set_data(message, "Token", token);
    plist_set_text(message, "PushMagic", phone->enrolment.push_magic);
    if (!phone->enrolment.enrollment_id)
        plist_set_data(message, "UnlockToken", unlock);
    plist_set_boolean(message, "AwaitingConfiguration", phone->enrolment.awaits_configuration);
    if (!channel_render(scratch, message, &body, err) ||
        !token_register(phone, phone->enrolment.token, err))
        return false;
    phone->enrolment.last_token_update = base64_encode(phone, body);
    return message_deliver(phone, message, "TokenUpdate", report, err);
}

bool channel_user_token_update(struct phone *phone, const char *token, json_t *report,
                               struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct plist *message = channel_message(scratch, phone, "TokenUpdate");
    struct bytes raw;
    if (!text_unhex(scratch, token, &raw, err) || !token_register(phone, token, err))
        return false;
    plist_set_text(message, "UserLongName", phone->user);
    plist_set_data(message, "Token", raw);
    plist_set_text(message, "PushMagic", id_make_random_upper(scratch));
    plist_set_boolean(message, "NotOnConsole", false);
    return message_deliver(phone, message, "TokenUpdate", report, err);
}

bool channel_check_out(struct phone *phone, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    return message_deliver(phone, channel_message(scratch, phone, "CheckOut"), "CheckOut", report,
                           err);
}
