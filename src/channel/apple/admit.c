/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be served: the binding of a certificate to its device, and the states that end it. */
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/apple.h"
#include "codec/json.h"
#include "fleet/departure.h"
#include "model/certificate.h"
#include "model/platform.h"

#define RETRY_SECONDS "60"
/* From these versions on a device understands the code instead of 401 (Apple, "Unrecognized
 * device"). */
#define CODE_SINCE_IOS 17
#define CODE_SINCE_MACOS 14

enum gate { GATE_OPEN, GATE_SHUT, GATE_LEAVE, GATE_REOPEN };
/* Only a state that someone decided makes a device leave; never a look-up that found nothing. */
static const enum gate gates[] = {
    [ENROLMENT_PENDING] = GATE_OPEN,
    [ENROLMENT_ACTIVE] = GATE_OPEN,
    [ENROLMENT_BLOCKED] = GATE_SHUT,
    [ENROLMENT_RETIRING] = GATE_OPEN,
    [ENROLMENT_WIPING] = GATE_OPEN,
    [ENROLMENT_RETIRED] = GATE_LEAVE,
    [ENROLMENT_CHECKED_OUT] = GATE_LEAVE,
    [ENROLMENT_SUPERSEDED] = GATE_LEAVE,
    [ENROLMENT_WIPED] = GATE_LEAVE,
    [ENROLMENT_RETIRED_UNCONFIRMED] = GATE_REOPEN,
    [ENROLMENT_WIPED_UNCONFIRMED] = GATE_REOPEN,
};

static const struct device_answer {
    enum err_kind kind;
    int status;
} device_answers[] = {
    {ERR_TOO_LARGE, 413},       {ERR_FORBIDDEN, 403},
    {ERR_UNAUTHENTICATED, 403}, /* 401 would make the device remove its enrolment */
    {ERR_UNAVAILABLE, 503},     {ERR_INTERNAL, 500},
};

void apple_error_render(const struct request *request, const struct err *err, struct reply *reply)
{
    int status = 400;
    for (size_t i = 0; i < COUNT(device_answers); i++)
        if (device_answers[i].kind == err->kind)
            status = device_answers[i].status;
    /* The kind alone: the sentence is for our log, the peer may be anyone. */
    const char *text = mem_format(request->owner, "%s\n", err_kind_name(err->kind));
    reply_bytes(reply, status, "text/plain; charset=utf-8", bytes_text(text));
    if (status == 503)
        reply_header(reply, "Retry-After", RETRY_SECONDS);
}

bool apple_anomaly(struct request *request, const char *kind, const char *name, const char *value,
                   struct err *err)
{
    const struct device_caller *caller = device_of(request);
    CLEANUP(json_decref_at) json_t *body = json_object();
    json_set(body, name, json_string(value));
    const char *text = json_text(request->owner, body);
    return fleet_anomaly(fleet_of(request), &caller->actor, &caller->identity, kind, text, err);
}

static bool binding_fits(const struct identity *identity, const struct apple_sender *sender,
                         unsigned flags)
{
    if (sender->is_of_account != (identity->mode == MODE_ACCOUNT))
        return false;
    return identity->udid ? text_equal(identity->udid, sender->udid) : (flags & ADMIT_UNBOUND) != 0;
}

static bool check_binding(struct request *request, const struct apple_sender *sender,
                          unsigned flags, struct err *err)
{
    const struct identity *identity = &device_of(request)->identity;
    if (binding_fits(identity, sender, flags))
        return true;
    return apple_anomaly(request, "device.identity_mismatch", "claimed", sender->udid, err) &&
           err_set(err, ERR_FORBIDDEN,
                   "the certificate of enrolment %s does not stand for the device that it names",
                   identity->enrolment_id);
}

/* The whole number before the first dot; 0 when there is none. */
static int64_t major_version(const char *version)
{
    struct err ignored;
    int64_t major = 0;
    size_t size = version ? strcspn(version, ".") : 0;
    return number_parse((struct bytes){(const uint8_t *)version, size}, 0, 10000, &major, &ignored)
               ? major
               : 0;
}

static void tell_to_leave(struct request *request, struct reply *reply)
{
    const struct identity *identity = &device_of(request)->identity;
    int64_t since = identity->platform == PLATFORM_MACOS ? CODE_SINCE_MACOS : CODE_SINCE_IOS;
    if (major_version(identity->os_version) < since) {
        reply_empty(reply, 401);
        return;
    }
    CLEANUP(json_decref_at) json_t *body = json_object();
    if (json_object_set_new(body, "code", json_string("com.apple.unrecognized.device")) != 0)
        bug("no JSON out of a constant");
    const char *text = json_text(request->owner, body);
    reply_bytes(reply, 403, "application/json", bytes_text(text));
}

/* A device that speaks was not erased and has not left: it is asked again, unless it has enrolled
 * anew meanwhile. */
static bool gate_of(struct request *request, enum gate *gate, struct err *err)
{
    struct device_caller *caller = device_of(request);
    *gate = gates[caller->identity.enrolment_state];
    if (*gate != GATE_REOPEN)
        return true;
    if (!fleet_departure_reopen(fleet_of(request), &caller->actor, &caller->identity, err))
        return false;
    *gate = gates[caller->identity.enrolment_state];
    if (*gate == GATE_REOPEN)
        *gate = GATE_LEAVE;
    return true;
}

bool apple_is_settled(const struct identity *identity)
{
    return identity->enrolment_state == ENROLMENT_ACTIVE &&
           identity->certificate_state == CERTIFICATE_ISSUED && !identity->is_contested &&
           !identity->has_work;
}

bool apple_is_bound(const struct identity *identity, const struct apple_sender *sender)
{
    return binding_fits(identity, sender, 0);
}

bool apple_admit(struct request *request, const struct apple_sender *sender, unsigned flags,
                 struct reply *reply, struct err *err)
{
    return check_binding(request, sender, flags, err) &&
           apple_admit_enrolment(request, flags, reply, err);
}

bool apple_admit_enrolment(struct request *request, unsigned flags, struct reply *reply,
                           struct err *err)
{
    const struct identity *identity = &device_of(request)->identity;
    enum gate gate;
    if (!gate_of(request, &gate, err))
        return false;
    if (gate == GATE_LEAVE) {
        tell_to_leave(request, reply);
        return true;
    }
    if (gate == GATE_SHUT && (flags & ADMIT_BLOCKED) &&
        identity->certificate_state == CERTIFICATE_HELD)
        return true;
    if (gate == GATE_SHUT)
        return err_set(err, ERR_FORBIDDEN, "enrolment %s is blocked", identity->enrolment_id);
    /* A leaving device still fetches its last command with a certificate that is revoked. */
    bool is_leaving = identity->enrolment_state == ENROLMENT_RETIRING ||
                      identity->enrolment_state == ENROLMENT_WIPING;
    if (identity->certificate_state != CERTIFICATE_ISSUED && !is_leaving)
        return err_set(err, ERR_FORBIDDEN, "certificate %s is revoked", identity->certificate_id);
    return true;
}
