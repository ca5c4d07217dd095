/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/misbehave.h"

#include "base/id.h"
#include "base/text.h"
#include "codec/base64.h"
#include "sim/bplist.h"
#include "sim/channel.h"
#include "sim/hostile.h"

#define BIG_BODY ((size_t)20 << 20)
#define OVERSIZED_TOKEN 5000
#define SLOW_SECONDS 90

#define CHECK_IN_TYPE "application/x-apple-aspen-mdm-checkin"
#define REPORT_TYPE "application/x-apple-aspen-mdm; charset=UTF-8"

struct script {
    struct phone *phone;
    const char *name, *argument; /* argument NULL: none given */
    json_t *results;
    void *scratch;
};

static void result_add(const struct script *script, const char *message, int status)
{
    json_array_append_new(script->results, json_pack("{s:s, s:s, s:i}", "script", script->name,
                                                     "message", message, "status", status));
}

/* A lost connection is a result too: status 0. */
static void request_try(const struct script *script, const char *message,
                        const struct web_request *request)
{
    struct web_reply reply = {0};
    struct err lost;
    bool answered = web_send(script->phone->web, script->scratch, request, &reply, &lost);
    result_add(script, message, answered ? reply.status : 0);
}

static struct web_request report_of(const struct script *script, struct bytes body)
{
    return (struct web_request){.method = "PUT",
                                .url = script->phone->enrolment.server_url,
                                .content_type = REPORT_TYPE,
                                .body = body};
}

static struct web_request check_in_of(const struct script *script, struct bytes body)
{
    return (struct web_request){.method = "PUT",
                                .url = script->phone->enrolment.check_in_url,
                                .content_type = CHECK_IN_TYPE,
                                .body = body};
}

static struct plist *idle_plist(const struct script *script, const char *udid)
{
    struct plist *message = plist_new_dict(script->scratch);
    plist_set_text(message, "UDID", udid);
    plist_set_text(message, "Status", "Idle");
    return message;
}

static bool idle_bytes(const struct script *script, struct bytes *out, struct err *err)
{
    return channel_render(script->scratch, idle_plist(script, script->phone->model.udid), out, err);
}

static bool session_with(const struct script *script, struct session_options options,
                         struct err *err)
{
    CLEANUP(json_decref_at) json_t *report = json_object();
    bool done = session_run(script->phone, &options, report, err);
    size_t index;
    json_t *one;
    json_array_foreach(json_object_get(report, "messages"), index, one)
    {
        result_add(script, json_string_value(json_object_get(one, "message")),
                   (int)json_integer_value(json_object_get(one, "status")));
    }
    return done;
}

static bool result_twice(const struct script *script, struct err *err)
{
    return session_with(script, (struct session_options){.results_twice = true}, err);
}

static bool never_now(const struct script *script, struct err *err)
{
    return session_with(script, (struct session_options){.never_now = true}, err);
}

/* A session in which the renewal of the identity, if one is asked for, breaks off. */
static bool renewal_with(const struct script *script, enum renewal_fault fault, struct err *err)
{
    script->phone->renewal_fault = fault;
    bool done = session_with(script, (struct session_options){0}, err);
    script->phone->renewal_fault = RENEWAL_WORKS;
    return done;
}

static bool renewal_certified(const struct script *script, struct err *err)
{
    return renewal_with(script, RENEWAL_FAILS_CERTIFIED, err);
}

static bool renewal_shown(const struct script *script, struct err *err)
{
    return renewal_with(script, RENEWAL_FAILS_SHOWN, err);
}

static bool renewal_told(const struct script *script, struct err *err)
{
    return renewal_with(script, RENEWAL_FAILS_TOLD, err);
}

static bool unknown_result(const struct script *script, struct err *err)
{
    struct plist *message = plist_new_dict(script->scratch);
    struct bytes body;
    plist_set_text(message, "UDID", script->phone->model.udid);
    plist_set_text(message, "Status", "Acknowledged");
    plist_set_text(message, "CommandUUID", id_make_random_upper(script->scratch));
    if (!channel_render(script->scratch, message, &body, err))
        return false;
    struct web_request request = report_of(script, body);
    request_try(script, "Acknowledged", &request);
    return true;
}

static bool wrong_udid(const struct script *script, struct err *err)
{
    static const char *const messages[] = {"TokenUpdate", "CheckOut"};
    struct bytes body, token = BYTES_OF("0123456789abcdef0123456789abcde");
    const char *udid = script->argument ? script->argument : "00008120-0000000000000000";
    if (!channel_render(script->scratch, idle_plist(script, udid), &body, err))
        return false;
    struct web_request request = report_of(script, body);
    request_try(script, "Idle", &request);
    for (size_t i = 0; i < COUNT(messages); i++) {
        struct plist *message = plist_new_dict(script->scratch);
        plist_set_text(message, "MessageType", messages[i]);
        plist_set_text(message, "UDID", udid);
        plist_set_text(message, "Topic", script->phone->enrolment.topic);
        plist_set_data(message, "Token", token);
        plist_set_text(message, "PushMagic", "stolen");
        if (!channel_render(script->scratch, message, &body, err))
            return false;
        request = check_in_of(script, body);
        request_try(script, messages[i], &request);
    }
    return true;
}

static bool entity_bomb(const struct script *script, struct err *err)
{
    struct bytes body;
    if (!hostile_entity_bomb(script->scratch, &body, err))
        return false;
    struct web_request request = report_of(script, body);
    request_try(script, "Idle", &request);
    request = check_in_of(script, body);
    request_try(script, "Authenticate", &request);
    return true;
}

static bool nested_arrays(const struct script *script, struct err *err)
{
    struct bytes body;
    if (!hostile_nested_arrays(script->scratch, &body, err))
        return false;
    struct web_request request = report_of(script, body);
    request_try(script, "Idle", &request);
    return true;
}

static bool big_body(const struct script *script, struct err *err)
{
    uint8_t *data = mem_array(script->scratch, uint8_t, BIG_BODY);
    (void)err;
    memset(data, ' ', BIG_BODY);
    struct web_request request = report_of(script, (struct bytes){data, BIG_BODY});
    request_try(script, "Idle", &request);
    return true;
}

static bool bad_plist(const struct script *script, struct err *err)
{
    (void)err;
    for (const char *const *text = HOSTILE_PLISTS; *text; text++) {
        struct web_request request = report_of(script, bytes_text(*text));
        request_try(script, "Idle", &request);
    }
    return true;
}

static bool binary_plist(const struct script *script, struct err *err)
{
    struct bytes body;
    if (!bplist_render(script->scratch, idle_plist(script, script->phone->model.udid), &body, err))
        return false;
    struct web_request request = report_of(script, body);
    request_try(script, "Idle", &request);
    return true;
}

static bool oversized_token(const struct script *script, struct err *err)
{
    uint8_t *token = mem_array(script->scratch, uint8_t, OVERSIZED_TOKEN);
    struct plist *message = channel_message(script->scratch, script->phone, "TokenUpdate");
    struct bytes body;
    plist_set_data(message, "Token", (struct bytes){token, OVERSIZED_TOKEN});
    plist_set_text(message, "PushMagic", script->phone->enrolment.push_magic);
    if (!channel_render(script->scratch, message, &body, err))
        return false;
    struct web_request request = check_in_of(script, body);
    request_try(script, "TokenUpdate", &request);
    return true;
}

static bool token_replay(const struct script *script, struct err *err)
{
    struct bytes body;
    if (!script->phone->enrolment.last_token_update)
        return err_set(err, ERR_PRECONDITION, "no TokenUpdate was sent yet");
    if (!base64_decode(script->scratch, bytes_text(script->phone->enrolment.last_token_update),
                       MESSAGE_SIZE_MAX, &body, err))
        return false;
    struct web_request request = check_in_of(script, body);
    request_try(script, "TokenUpdate", &request);
    return true;
}

static bool rude(const struct script *script, const struct web_pace *pace, struct err *err)
{
    struct bytes body;
    struct web_reply reply = {0};
    struct err lost;
    if (!idle_bytes(script, &body, err))
        return false;
    struct web_request request = report_of(script, body);
    bool sent = web_send_rudely(script->phone->web, script->scratch, &request, pace, &reply, &lost);
    result_add(script, "Idle", sent ? reply.status : 0);
    return true;
}

static bool slow_sender(const struct script *script, struct err *err)
{
    struct web_pace pace = {.bytes_per_second = 1, .seconds = SLOW_SECONDS};
    int64_t seconds = 0;
    if (script->argument && !number_parse(bytes_text(script->argument), 1, 3600, &seconds, err))
        return false;
    if (seconds)
        pace.seconds = (int)seconds;
    return rude(script, &pace, err);
}

static bool deaf_sender(const struct script *script, struct err *err)
{
    return rude(script, &(struct web_pace){.seconds = 10, .leave_without_reading = true}, err);
}

static bool no_certificate(const struct script *script, struct err *err)
{
    struct bytes body;
    if (!idle_bytes(script, &body, err))
        return false;
    struct web_request request = report_of(script, body);
    request.anonymous = true;
    request_try(script, "Idle", &request);
    return true;
}

/* The header that an edge would set, from a client that has no certificate. */
static bool forged_header(const struct script *script, struct err *err)
{
    static const char *const names[] = {"Client-Cert", "X-SSL-Client-Cert", "X-Client-Certificate"};
    struct bytes body;
    if (!idle_bytes(script, &body, err))
        return false;
    char *der = base64_encode(script->scratch,
                              certificate_der(script->scratch, script->phone->certificate));
    for (size_t i = 0; i < COUNT(names); i++) {
        struct web_request request = report_of(script, body);
        request.anonymous = true;
        request.header = mem_format(script->scratch, "%s: :%s:", names[i], der);
        request_try(script, names[i], &request);
    }
    return true;
}

static const struct {
    const char *name;
    bool (*run)(const struct script *script, struct err *err);
} scripts[] = {
    {"result-twice", result_twice},
    {"unknown-uuid-result", unknown_result},
    {"wrong-udid", wrong_udid},
    {"entity-bomb", entity_bomb},
    {"nested-arrays", nested_arrays},
    {"body-20mb", big_body},
    {"slow-sender", slow_sender},
    {"notnow-always", never_now},
    {"renewal-breaks-certified", renewal_certified},
    {"renewal-breaks-shown", renewal_shown},
    {"renewal-breaks-told", renewal_told},
    {"bad-plist", bad_plist},
    {"binary-plist", binary_plist},
    {"oversized-token", oversized_token},
    {"drop-before-reading-answer", deaf_sender},
    {"replay-tokenupdate", token_replay},
    {"no-certificate", no_certificate},
    {"forged-certificate-header", forged_header},
};

char *misbehave_names(void *owner)
{
    char *names = mem_text(owner, "");
    for (size_t i = 0; i < COUNT(scripts); i++)
        names = mem_format(owner, "%s%s%s", names, i ? ", " : "", scripts[i].name);
    return names;
}

static bool script_run(struct phone *phone, char *item, json_t *results, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    char *equals = strchr(item, '=');
    struct script script = {.phone = phone, .name = item, .results = results, .scratch = scratch};
    if (equals) {
        *equals = '\0';
        script.argument = equals + 1;
    }
    for (size_t i = 0; i < COUNT(scripts); i++)
        if (text_equal(scripts[i].name, item))
            return scripts[i].run(&script, err) || err_context(err, "%s", item);
    return err_set(err, ERR_BAD_INPUT, "'%s' is no script; there are %s", item,
                   misbehave_names(scratch));
}

bool misbehave_run(struct phone *phone, const char *list, json_t *report, struct err *err)
{
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, list);
    json_t *results = json_array();
    json_object_set_new(report, "misbehaviour", results);
    if (phone->enrolment.status != PHONE_ENROLLED)
        return err_set(err, ERR_PRECONDITION, "the phone is not enrolled");
    char *rest = copy;
    for (char *item; (item = strsep(&rest, ",")) != NULL;)
        if (*item && !script_run(phone, item, results, err))
            return false;
    return phone_save(phone, err);
}
