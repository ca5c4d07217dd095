/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/mac.h"

#include "base/id.h"
#include "base/text.h"
#include "sim/channel.h"

#define BOOTSTRAP_TOKEN_SIZE 160
#define CAPABILITY "com.apple.mdm.bootstraptoken"

static bool has_capability(struct phone *phone, bool *has, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct installed *installed = phone_profile_find(phone, phone->enrolment.mdm_identifier);
    struct profile profile;
    *has = false;
    if (!installed)
        return true;
    if (!phone_profile_open(scratch, installed, &profile, err))
        return false;
    *has = profile_has_capability(profile_payload(&profile, PAYLOAD_MDM), CAPABILITY);
    return true;
}

static bool message_send(struct phone *phone, void *owner, const struct plist *message,
                         json_t *report, struct web_reply *reply, struct err *err)
{
    const char *name = plist_text(message, "MessageType");
    struct bytes body;
    if (!channel_render(owner, message, &body, err) ||
        !channel_check_in(phone, owner, name, body, reply, err))
        return false;
    report_message(report, name, reply->status);
    return true;
}

bool mac_escrow(struct phone *phone, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    uint8_t token[BOOTSTRAP_TOKEN_SIZE];
    struct web_reply reply;
    bool has;
    if (!model_is_mac(&phone->model) || phone->enrolment.bootstrap_token)
        return true;
    if (!has_capability(phone, &has, err))
        return false;
    if (!has)
        return true;
    random_bytes(token, sizeof(token));
    struct plist *message = channel_message(scratch, phone, "SetBootstrapToken");
    plist_set_data(message, "BootstrapToken", BYTES_OF(token));
    plist_set_boolean(message, "AwaitingConfiguration", phone->enrolment.awaits_configuration);
    if (!message_send(phone, scratch, message, report, &reply, err))
        return false;
    if (reply.status != 200)
        return true;
    phone->enrolment.bootstrap_token = text_hex(phone, BYTES_OF(token));
    return phone_save(phone, err);
}

bool mac_user_begin(struct phone *phone, const char *user, json_t *report, struct err *err)
{
    uint8_t raw[32];
    random_bytes(raw, sizeof(raw));
    CLEANUP(mem_free_at) char *token = text_hex(NULL, BYTES_OF(raw));
    if (phone->enrolment.status != PHONE_ENROLLED || !model_is_mac(&phone->model))
        return err_set(err, ERR_PRECONDITION, "people have channels on enrolled Macs alone");
    phone->user = user;
    json_object_set_new(report, "token", json_string(token));
    return channel_user_token_update(phone, token, report, err);
}

static bool answer_read(struct phone *phone, void *owner, struct bytes body,
                        enum bootstrap_answer *out, struct err *err)
{
    static const struct plist_limits limits = {.size = 65536, .depth = 4, .nodes = 16};
    struct plist *answer = NULL;
    if (body.size == 0) {
        *out = BOOTSTRAP_NONE;
        return true;
    }
    if (!plist_parse(owner, body, &limits, &answer, err))
        return err_context(err, "the answer to GetBootstrapToken");
    const struct plist *token = plist_get(answer, "BootstrapToken");
    if (!token || token->type != PLIST_DATA)
        return err_set(err, ERR_BAD_INPUT, "the answer has no BootstrapToken");
    bool same = text_equal(text_hex(owner, token->data), phone->enrolment.bootstrap_token);
    *out = same ? BOOTSTRAP_SAME : BOOTSTRAP_OTHER;
    return true;
}

bool mac_bootstrap_ask(struct phone *phone, json_t *report, enum bootstrap_answer *out,
                       struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct web_reply reply;
    if (phone->enrolment.status != PHONE_ENROLLED)
        return err_set(err, ERR_PRECONDITION, "the Mac is not enrolled");
    struct plist *message = channel_message(scratch, phone, "GetBootstrapToken");
    if (!message_send(phone, scratch, message, report, &reply, err))
        return false;
    if (reply.status != 200)
        return err_set(err, ERR_FORBIDDEN, "the server answered GetBootstrapToken with %d",
                       reply.status);
    return answer_read(phone, scratch, reply.body, out, err);
}
