/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/session.h"

#include "base/text.h"
#include "codec/base64.h"
#include "sim/channel.h"
#include "sim/declarative.h"
#include "sim/signed.h"

#define COMMANDS_MAX 10000 /* in one session: a server that never ends is an error */
#define UNRECOGNIZED_OS 17 /* first iOS that knows the 403 (com.apple.unrecognized.device) */

static const struct plist_limits command_limits = {
    .size = PROFILE_SIZE_MAX * 2, .depth = 32, .nodes = 100000};

struct session {
    struct phone *phone;
    const struct session_options *options;
    json_t *report;
    void *scratch;     /* of one exchange */
    struct bytes body; /* the server's last answer; empty: the session is over */
};

static bool successful(int status)
{
    return status >= 200 && status < 300;
}

/* 401 unenrols a classic enrolment; since iOS 17 also this one kind of 403. */
static bool is_farewell(const struct phone *phone, const struct web_reply *reply)
{
    static const struct json_limits limits = {.size = 65536, .depth = 8, .nodes = 256};
    CLEANUP(json_decref_at) json_t *body = NULL;
    struct err ignored; /* any other body is no farewell */
    if (reply->status == 401)
        return true;
    if (reply->status != 403 || model_os_major(&phone->model) < UNRECOGNIZED_OS ||
        !json_parse(reply->body, &limits, &body, &ignored))
        return false;
    const char *code = json_string_value(json_object_get(body, "code"));
    return text_equal(code, "com.apple.unrecognized.device");
}

static bool farewell(struct session *session, struct err *err)
{
    if (session->report)
        json_object_set_new(session->report, "unenrolled_by_server", json_true());
    session->body = NO_BYTES;
    return phone_forget(session->phone, PHONE_UNENROLLED, err);
}

/* What the server said to a message; its body is the next command. */
static bool answer_take(struct session *session, const char *message, const struct web_reply *reply,
                        struct err *err)
{
    report_message(session->report, message, reply->status);
    if (is_farewell(session->phone, reply))
        return farewell(session, err);
    session->body = reply->body;
    return successful(reply->status) ||
           err_set(err, reply->status == 503 ? ERR_UNAVAILABLE : ERR_FORBIDDEN,
                   "the server answered %s with %d", message, reply->status);
}

static bool idle_send(struct session *session, struct err *err)
{
    struct bytes body;
    struct web_reply reply;
    struct plist *message = plist_new_dict(session->scratch);
    channel_name(session->phone, message);
    plist_set_text(message, "Status", "Idle");
    return channel_render(session->scratch, message, &body, err) &&
           channel_report(session->phone, session->scratch, "Idle", NULL, body, &reply, err) &&
           answer_take(session, "Idle", &reply, err);
}

/* The profile is gone already: one farewell, whether it arrives or not. */
static bool unenrol(struct session *session, struct err *err)
{
    struct err lost;
    if (session->phone->enrolment.check_out_when_removed)
        (void)!channel_check_out(session->phone, session->report, &lost);
    session->body = NO_BYTES;
    return phone_forget(session->phone, PHONE_UNENROLLED, err);
}

/* Send what waits. It stays waiting unless the server takes it. */
static bool pending_send(struct session *session, struct err *err)
{
    struct phone *phone = session->phone;
    struct bytes body;
    struct web_reply reply;
    if (!base64_decode(session->scratch, bytes_text(phone->pending.body), MESSAGE_SIZE_MAX, &body,
                       err) ||
        !channel_report(phone, session->scratch, phone->pending.status, phone->pending.uuid, body,
                        &reply, err))
        return false;
    if (session->options->results_twice) {
        struct web_reply second;
        if (!channel_report(phone, session->scratch, phone->pending.status, phone->pending.uuid,
                            body, &second, err))
            return false;
        report_message(session->report, "repeated", second.status);
    }
    char *status = mem_text(session->scratch, phone->pending.status);
    bool leaves = phone->pending.leaves;
    if (successful(reply.status))
        phone_pending_drop(phone);
    if (!answer_take(session, status, &reply, err) || !phone_save(phone, err))
        return false;
    return !leaves || phone->enrolment.status != PHONE_ENROLLED || unenrol(session, err);
}

static void command_report(struct session *session, const char *uuid, const char *request_type,
                           const char *status)
{
    if (!session->report)
        return;
    json_array_append_new(
        json_object_get(session->report, "commands"),
        json_pack("{s:s, s:s, s:s}", "uuid", uuid, "request_type", request_type, "status", status));
}

/* The answer leaves once, whether it arrives or not; then the phone is as new. */
static bool erase(struct session *session, struct bytes body, const char *uuid, struct err *err)
{
    struct phone *phone = session->phone;
    struct web_reply reply;
    struct err lost;
    phone->enrolment.status = PHONE_ERASED;
    phone->model.erasures++;
    phone->model.passcode = (struct passcode){0};
    phone->model.lost_mode = false;
    if (!phone_save(phone, err))
        return false;
    if (channel_report(phone, session->scratch, "Acknowledged", uuid, body, &reply, &lost))
        report_message(session->report, "Acknowledged", reply.status);
    session->body = NO_BYTES;
    return phone_forget(phone, PHONE_ERASED, err);
}

static struct plist *answer_make(struct session *session, const char *uuid)
{
    struct plist *answer = plist_new_dict(session->scratch);
    channel_name(session->phone, answer);
    plist_set_text(answer, "CommandUUID", uuid);
    return answer;
}

/* A real device does so beside its session; one after the other is easier to follow. */
static bool settle(struct session *session, struct err *err)
{
    return session->phone->enrolment.status != PHONE_ENROLLED || session->phone->user ||
           declarative_settle(session->phone, session->report, err);
}

static const char *const person_commands[] = {"ProfileList", "InstallProfile", "RemoveProfile",
                                              NULL};

static bool command_answer(struct session *session, const struct plist *command, const char *uuid,
                           struct err *err)
{
    struct phone *phone = session->phone;
    const char *request_type = plist_text(command, "RequestType");
    struct plist *answer = answer_make(session, uuid);
    struct command_outcome outcome = {.status = "NotNow"};
    struct bytes body;
    if (!request_type)
        request_type = "";
    if (phone->user && name_find(person_commands, request_type) < 0)
        outcome = (struct command_outcome){.status = "Error"}; /* not for a person */
    else if (!session->options->never_now)
        outcome = command_carry_out(phone, command, answer);
    plist_set_text(answer, "Status", outcome.status);
    if (!text_equal(outcome.status, "NotNow"))
        ledger_execution(phone->ledger, phone->model.udid, uuid, request_type, outcome.status,
                         outcome.code);
    command_report(session, uuid, request_type, outcome.status);
    if (!channel_render(session->scratch, answer, &body, err))
        return false;
    if (outcome.aftermath == AFTER_ERASE)
        return erase(session, body, uuid, err);
    phone_pending_put(phone, uuid, request_type, outcome.status, body);
    phone->pending.leaves = outcome.aftermath == AFTER_UNENROL;
    return phone_save(phone, err) && pending_send(session, err) &&
           (outcome.aftermath != AFTER_DECLARE || settle(session, err));
}

static bool command_take(struct session *session, struct err *err)
{
    struct plist *message = NULL;
    if (!plist_parse(session->scratch, session->body, &command_limits, &message, err))
        return err_context(err, "the server's command");
    const struct plist *command = plist_get(message, "Command");
    const char *uuid = plist_text(message, "CommandUUID");
    if (!command || command->type != PLIST_DICT || !uuid)
        return err_set(err, ERR_BAD_INPUT, "the server's command lacks Command or CommandUUID");
    return command_answer(session, command, uuid, err);
}

static bool session_loop(struct session *session, struct err *err)
{
    for (int i = 0; session->body.size > 0; i++) {
        if (i == COMMANDS_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d commands in one session",
                           COMMANDS_MAX);
        void *before = session->scratch; /* holds the command until it is answered */
        session->scratch = mem_new(NULL, char);
        bool taken = command_take(session, err);
        mem_free(before);
        if (!taken)
            return false;
    }
    return true;
}

bool session_run(struct phone *phone, const struct session_options *options, json_t *report,
                 struct err *err)
{
    struct session session = {.phone = phone, .options = options, .report = report};
    if (phone->enrolment.status != PHONE_ENROLLED)
        return err_set(err, ERR_PRECONDITION, "the phone is not enrolled");
    if (report && !json_object_get(report, "commands"))
        json_object_set_new(report, "commands", json_array());
    session.scratch = mem_new(NULL, char);
    bool done = (phone->pending.uuid ? pending_send(&session, err) : idle_send(&session, err)) &&
                session_loop(&session, err) && settle(&session, err);
    mem_free(session.scratch);
    return done;
}
