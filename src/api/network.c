/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges for what is no device of ours, and decisions about their requests. */
#include "fleet/network.h"

#include "api/answer.h"
#include "api/resources.h"

struct challenge_made {
    char *id, *challenge, *subject, *alternative_names, *scep_url, *est_url;
    bool needs_approval;
    int64_t expires_at;
};
static const struct field challenge_made_rows[] = {
    TEXT_FIELD(struct challenge_made, id, FIELD_READ_ONLY,
               .help = "Of the request: for its trace and a decision"),
    TEXT_FIELD(struct challenge_made, challenge, FIELD_READ_ONLY,
               .help = "To be given with the request: works once, shown this once"),
    TEXT_FIELD(struct challenge_made, subject, FIELD_READ_ONLY,
               .help = "Subject of the certificate, and of the request"),
    TEXT_FIELD(struct challenge_made, alternative_names, FIELD_READ_ONLY,
               .help = "Alternative names of the certificate"),
    TEXT_FIELD(struct challenge_made, scep_url, FIELD_READ_ONLY, .help = "Where SCEP is spoken"),
    TEXT_FIELD(struct challenge_made, est_url, FIELD_READ_ONLY, .help = "Where EST is spoken"),
    BOOLEAN_FIELD(struct challenge_made, needs_approval, FIELD_READ_ONLY,
                  .help = "Whether a person has to approve the request"),
    TIME_FIELD(struct challenge_made, expires_at, FIELD_READ_ONLY, .help = "When it ends"),
};
static const struct fields challenge_made_fields = FIELDS(challenge_made_rows);

static const struct field challenge_wish_rows[] = {
    TEXT_FIELD(struct network_challenge, subject, FIELD_REQUIRED, .lowest = 4, .highest = 200,
               .help = "CN=NAME or CN=NAME, O=ORGANIZATION"),
    TEXT_FIELD(struct network_challenge, alternative_names, 0, .highest = 2000,
               .help = "dns:HOST, ip:ADDRESS and one uri:URI, with commas between"),
    BOOLEAN_FIELD(struct network_challenge, needs_approval, 0,
                  .help = "Whether a person has to approve the request"),
    TIME_FIELD(struct network_challenge, expires_at, 0, .help = "When it ends; a day where absent"),
};
static const struct fields challenge_wish_fields = FIELDS(challenge_wish_rows);

static bool challenge_create(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct network_challenge wish = {0}, made;
    const struct fleet_settings *settings = api_fleet(request)->settings;
    if (!api_body(request, &wish, NULL, err) ||
        !fleet_network_challenge_make(api_fleet(request), &actor, request->owner, &wish, &made,
                                      err))
        return false;
    const struct challenge_made shown = {
        .id = made.id,
        .challenge = made.challenge,
        .subject = made.subject,
        .alternative_names = made.alternative_names,
        .scep_url = mem_format(request->owner, "%s/scep/network", settings->plain_url),
        .est_url = mem_format(request->owner, "%s/.well-known/est", settings->device_url),
        .needs_approval = made.needs_approval,
        .expires_at = made.expires_at};
    api_reply(request, reply, 201, challenge_made_fields, &shown);
    return true;
}

struct decision {
    char *note;
};
static const struct field decision_rows[] = {
    TEXT_FIELD(struct decision, note, 0, .highest = 500, .help = "For the audit log"),
};
static const struct fields decision_fields = FIELDS(decision_rows);

static bool request_approve(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct decision decision = {0};
    if (!api_body(request, &decision, NULL, err))
        return false;
    actor.reason = decision.note;
    if (!fleet_request_approve(api_fleet(request), &actor, request->params[0], err))
        return false;
    reply_empty(reply, 204);
    return true;
}

static bool request_deny(struct request *request, struct reply *reply, struct err *err)
{
    struct actor actor = api_actor(request);
    struct decision decision = {0};
    if (!api_body(request, &decision, NULL, err))
        return false;
    actor.reason = decision.note;
    if (!fleet_request_deny(api_fleet(request), &actor, request->params[0], err))
        return false;
    reply_empty(reply, 204);
    return true;
}

static const struct route rows[] = {
    {HTTP_POST,
     API "/certificate-challenges",
     challenge_create,
     {need_account},
     DOOR_FRONT,
     8192,
     .name = "certificate_challenge_create",
     .summary = "Make a one-time challenge for a certificate without a device",
     .permission = "certificate.challenge",
     .takes = &challenge_wish_fields,
     .gives = &challenge_made_fields,
     .flags = ROUTE_CREATES},
    {HTTP_POST,
     API "/certificate-requests/{request}/approval",
     request_approve,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "certificate_request_approve",
     .summary = "Approve a request that waits",
     .permission = "certificate.approve",
     .takes = &decision_fields},
    {HTTP_POST,
     API "/certificate-requests/{request}/denial",
     request_deny,
     {need_account},
     DOOR_FRONT,
     4096,
     .name = "certificate_request_deny",
     .summary = "Deny a request that waits, or withdraw its challenge",
     .permission = "certificate.approve",
     .takes = &decision_fields},
};
const struct routes network_routes = {rows, COUNT(rows)};
