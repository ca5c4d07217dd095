/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation: a device says how it fared, and is given the next command. */
#include "base/backoff.h"
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/actions.h"
#include "channel/apple/anchors.h"
#include "channel/apple/apple.h"
#include "channel/apple/attest.h"
#include "channel/apple/errors.h"
#include "channel/apple/facts.h"
#include "channel/apple/found.h"
#include "channel/apple/lists.h"
#include "channel/apple/plausible.h"
#include "channel/apple/user.h"
#include "fleet/job.h"
#include "fleet/renew.h"

/* A device that said "not now" and then yes to something else does not come back by itself: it is
 * owed a push (Apple, NotNow), each time later while it goes on saying so. */
#define OWED_FIRST_SECONDS (15 * 60)
#define OWED_MOST_SECONDS (24 * 3600)
/* A device that put off as many in one session is given only what no device puts off. */
#define PUT_OFF_MOST 4
/* Commands refused before sending in one answer; more wait for the next session. */
#define REFUSED_MOST 100

static void answer_nothing(struct reply *reply)
{
    reply_empty(reply, 200);
}

/* The room cannot carry it: say so before it is sent, once. */
static bool refuse(struct request *request, const struct command *command, const struct err *why,
                   struct err *err)
{
    const struct device_caller *caller = device_of(request);
    return fleet_command_refuse(fleet_of(request), &caller->actor, &caller->identity, command->id,
                                why->text, why->remedy, err);
}

/* The kinds that are worth a try in this session. */
static bool kinds_left(struct request *request, unsigned *kinds, struct err *err)
{
    const struct identity *identity = &device_of(request)->identity;
    struct put_off put_off = {0};
    if (identity->has_deferred &&
        !fleet_session_put_off(fleet_of(request), identity, &put_off, err))
        return false;
    *kinds = put_off.count < PUT_OFF_MOST ? COMMANDS_ALL : apple_prompt_kinds();
    return true;
}

static bool answer_next(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    const struct device_caller *caller = device_of(request);
    unsigned kinds;
    if (!kinds_left(request, &kinds, err))
        return false;
    for (int refused = 0; refused < REFUSED_MOST; refused++) {
        struct command command = {0};
        struct bytes body;
        struct err why = {0};
        if (!fleet_command_fetch(fleet, &caller->actor, request->owner, &caller->identity, kinds,
                                 &command, err))
            return false;
        if (!command.id)
            break;
        const struct action action = {fleet, &caller->actor, &caller->identity, &command};
        if (apple_action_render(request->owner, &action, &body, &why)) {
            reply_bytes(reply, 200, "application/xml", body);
            return true;
        }
        if (why.kind == ERR_UNAVAILABLE) { /* later it will work: the device asks again */
            struct err ignored;
            bool back = fleet_command_put_back(fleet, &caller->actor, &caller->identity, command.id,
                                               &ignored);
            (void)back;
            *err = why;
            return err_context(err, "command %s", command.id);
        }
        if (!refuse(request, &command, &why, err))
            return false;
    }
    answer_nothing(reply);
    return true;
}

/* ---- one function per status ---- */

static bool handle_idle(struct request *request, const struct apple_result *result,
                        struct reply *reply, struct err *err)
{
    (void)result;
    const struct device_caller *caller = device_of(request);
    const struct identity *identity = &caller->identity;
    if (!identity->has_work) { /* most calls: nothing is read, nothing is written */
        answer_nothing(reply);
        return true;
    }
    if (identity->has_deferred &&
        !fleet_session_begin(fleet_of(request), &caller->actor, identity, err))
        return false;
    return answer_next(request, reply, err);
}

/* What the device says of a command; a result that we cannot place is kept by fleet and answered
 * like any other, or the device would send it again for ever. */
static bool finish(struct request *request, const struct command_result *result, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    enum result_outcome outcome;
    return fleet_command_finish(fleet_of(request), &caller->actor, &caller->identity, result,
                                &outcome, err);
}

static bool answer_after(struct request *request, struct reply *reply, struct err *err)
{
    const struct identity *identity = &device_of(request)->identity;
    struct put_off put_off;
    if (!answer_next(request, reply, err))
        return false;
    if (reply->body.size > 0 || !identity->has_deferred)
        return true;
    if (!fleet_session_put_off(fleet_of(request), identity, &put_off, err))
        return false;
    int64_t owed_seconds = backoff_doubled(put_off.most - 1, OWED_FIRST_SECONDS, OWED_MOST_SECONDS);
    return put_off.count == 0 ||
           fleet_job_postpone(fleet_of(request), "wake", identity->enrolment_id,
                              request->now + owed_seconds, request->now, err);
}

/* Roots that cannot be read prove nothing, and are no reason to refuse the rest of the answer. */
static bool proof_read(struct request *request, const struct plist *answer,
                       struct attestation_answer *out)
{
    const char *path = fleet_of(request)->settings->attestation_ca_file;
    struct apple_attest_roots roots = {.problem = ""};
    struct err why;
    if (!apple_attest_told(answer))
        return false;
    if (!apple_anchors_read(request->owner, "apple.attestation_ca_file", path,
                            "nothing can be verified", &roots.pem, &why))
        roots = (struct apple_attest_roots){.problem = mem_text(request->owner, why.text)};
    return apple_attest_read(request->owner, answer, &roots, request->now, out);
}

static void facts_read(struct request *request, const struct plist *answer,
                       struct command_result *result)
{
    struct fact *facts = NULL;
    apple_facts_read(request->owner, answer, request->now, &facts, &result->fact_count);
    result->facts = facts;
    apple_facts_weigh(request->owner, (enum platform)device_of(request)->identity.platform,
                      request->now, &result->facts, &result->fact_count);
}

/* What a person's channel says of a command that is its own. */
static bool handle_user_acknowledged(struct request *request, const struct apple_result *message,
                                     struct reply *reply, struct err *err)
{
    const struct device_caller *caller = device_of(request);
    struct command_result result = {.command_id = message->command_uuid, .answer = ANSWER_DONE};
    struct reported_item *items = NULL;
    enum result_outcome outcome;
    result.has_items =
        apple_items_read(request->owner, message->answer, &items, &result.item_count);
    result.items = items;
    return fleet_command_finish(fleet_of(request), &caller->actor, &caller->identity, &result,
                                &outcome, err) &&
           (outcome != RESULT_TAKEN || apple_user_told(request, message, err)) &&
           answer_after(request, reply, err);
}

static bool handle_acknowledged(struct request *request, const struct apple_result *message,
                                struct reply *reply, struct err *err)
{
    struct command_result result = {.command_id = message->command_uuid, .answer = ANSWER_DONE};
    struct attestation_answer attestation;
    struct reported_item *items = NULL;
    struct position position;
    struct reported_list list;
    if (message->sender.user_id)
        return handle_user_acknowledged(request, message, reply, err);
    facts_read(request, message->answer, &result);
    if (proof_read(request, message->answer, &attestation))
        result.attestation = &attestation;
    result.has_items =
        apple_items_read(request->owner, message->answer, &items, &result.item_count);
    if (apple_list_read(request->owner, message->answer, &list))
        result.list = &list;
    if (apple_position_read(message->answer, &position))
        result.position = &position;
    result.secret = apple_bypass_code_read(message->answer);
    result.items = items;
    return finish(request, &result, err) && answer_after(request, reply, err);
}

static bool handle_failed(struct request *request, const struct apple_result *message,
                          struct reply *reply, struct err *err)
{
    struct apple_refusal refusal;
    apple_error_explain(request->owner, message, &refusal);
    struct command_result result = {
        .command_id = message->command_uuid,
        .answer = ANSWER_FAILED,
        .reason = refusal.reason,
        .remedy = refusal.remedy,
        .is_absent = refusal.is_absent,
        .is_unknown = refusal.is_unknown,
    };
    return finish(request, &result, err) && answer_after(request, reply, err);
}

/* The command waits; others may still go in this session. The device calls again by itself. */
static bool handle_not_now(struct request *request, const struct apple_result *message,
                           struct reply *reply, struct err *err)
{
    struct command_result result = {.command_id = message->command_uuid, .answer = ANSWER_NOT_NOW};
    return finish(request, &result, err) && answer_next(request, reply, err);
}

/* What we cannot place is kept, and what it was about has failed: refused, it would come again. */
static bool handle_unknown(struct request *request, const struct apple_result *message,
                           struct reply *reply, struct err *err)
{
    struct command_result result = {
        .command_id = message->command_uuid,
        .answer = ANSWER_FAILED,
        .reason = mem_format(request->owner,
                             "The device answered with the status %s, which is "
                             "not known here.",
                             message->status_text),
        .remedy = "Look whether there is a newer version of this server."};
    return apple_anomaly(request, "device.unknown_status", "status", message->status_text, err) &&
           (!message->command_uuid || finish(request, &result, err)) &&
           answer_after(request, reply, err);
}

typedef bool status_handler(struct request *request, const struct apple_result *message,
                            struct reply *reply, struct err *err);
static status_handler *const handlers[] = {
    [APPLE_IDLE] = handle_idle,       [APPLE_ACKNOWLEDGED] = handle_acknowledged,
    [APPLE_ERROR] = handle_failed,    [APPLE_COMMAND_FORMAT_ERROR] = handle_failed,
    [APPLE_NOT_NOW] = handle_not_now, [APPLE_UNKNOWN] = handle_unknown,
};

/* Who has something to say, or to get, is left to the handler. The message is read last, and with
 * small limits: some hundred bytes can stand for a large tree. */
bool apple_connect_glance(struct request *request, struct reply *reply)
{
    struct apple_result message;
    if (request->body.size == 0 || request_header(request, "Mdm-Signature") ||
        !device_known(request))
        return false;
    const struct identity *identity = &device_of(request)->identity;
    if (!apple_is_settled(identity) ||
        !apple_result_small(request->owner, request->body, &message) ||
        message.status != APPLE_IDLE || message.sender.user_id ||
        !apple_is_bound(identity, &message.sender))
        return false;
    fleet_contact(fleet_of(request), identity, request->now);
    answer_nothing(reply);
    return true;
}

bool apple_connect(struct request *request, struct reply *reply, struct err *err)
{
    struct apple_result message;
    if (!apple_result_parse(request->owner, request->body, &message, err) ||
        !apple_admit(request, &message.sender, 0, reply, err))
        return false;
    if (reply->status)
        return true;
    fleet_contact(fleet_of(request), &device_of(request)->identity, request->now);
    const struct device_caller *caller = device_of(request);
    bool found = true;
    if (!fleet_identity_used(fleet_of(request), &caller->actor, &caller->identity, err) ||
        (message.sender.user_id && !apple_user_enter(request, &message.sender, &found, err)))
        return false;
    if (!found) { /* nobody who is managed: nothing for them, and nothing of them */
        answer_nothing(reply);
        return true;
    }
    return handlers[message.status](request, &message, reply, err);
}
