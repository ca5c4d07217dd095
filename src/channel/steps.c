/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/steps.h"

#include "base/mem.h"
#include "codec/json.h"
#include "fleet/adopt.h"
#include "pki/authorities.h"
#include "pki/certificate.h"
#include "pki/digest.h"
#include "pki/keyd.h"

struct fleet *fleet_of(const struct request *request)
{
    return request->services;
}

struct device_caller *device_of(const struct request *request)
{
    return request->who;
}

static bool check_time(const struct identity *identity, int64_t now, struct err *err)
{
    if (now < identity->not_before)
        return err_set(err, ERR_FORBIDDEN, "client certificate %s is not valid yet",
                       identity->certificate_id);
    if (now > identity->not_after)
        return err_set(err, ERR_FORBIDDEN, "client certificate %s has expired",
                       identity->certificate_id);
    return true;
}

static bool is_ours(struct request *request, struct certificate *out, struct err *err)
{
    struct authorities all;
    if (!certificate_parse(request->owner, request->client_certificate, out, err) ||
        !keyd_authorities(fleet_of(request)->keyd, request->owner, &all, err))
        return false;
    return authority_of_leaf(&all, out->der) ||
           err_set(err, ERR_BAD_INPUT, "the client certificate is none of ours");
}

/* Counted by its serial number, and refused. */
static bool refuse(struct request *request, const struct actor *actor,
                   const struct certificate *certificate, bool is_network, struct err *err)
{
    const struct identity nobody = {.enrolment_id = mem_text(request->owner, certificate->serial)};
    CLEANUP(json_decref_at) json_t *body = json_object();
    json_set(body, "serial", json_string(certificate->serial));
    if (is_network)
        json_set(body, "subject", json_string(name_text(request->owner, &certificate->subject)));
    if (certificate->san_uri)
        json_set(body, "subject_alternative", json_string(certificate->san_uri));
    json_set(body, "peer", json_string(request->peer));
    return fleet_anomaly(fleet_of(request), actor, &nobody,
                         is_network ? "certificate.no_device" : "device.unknown",
                         json_text(request->owner, body), err) &&
           err_set(err, ERR_FORBIDDEN, "client certificate %s is ours, but %s", certificate->serial,
                   is_network ? "stands for no device" : "unknown");
}

/*
 * A certificate that no enrolment has. One that we issued and do not remember: the database was
 * restored from a backup. If it is the renewed one of a device that we know it is written down
 * again. Else the device is refused and stays as it is (never 401, never told to go): somebody has
 * to look. One that was issued for something that is no device is refused as what it is. What
 * another authority issued is no matter of ours.
 */
static bool stranger(struct request *request, bool *adopted, struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    struct certificate certificate;
    bool is_network = false;
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    if (!is_ours(request, &certificate, err) ||
        !fleet_certificate_is_network(fleet, certificate.der, &is_network, err) ||
        (!is_network && !fleet_certificate_adopt(fleet, &actor, &certificate, adopted, err)))
        return false;
    return *adopted || refuse(request, &actor, &certificate, is_network, err);
}

static bool identify(struct request *request, const uint8_t sha256[32], struct identity *out,
                     struct err *err)
{
    struct fleet *fleet = fleet_of(request);
    bool adopted = false;
    if (fleet_identify(fleet, request->owner, sha256, out, err))
        return true;
    if (err->kind != ERR_NOT_FOUND || !stranger(request, &adopted, err))
        return false;
    return fleet_identify(fleet, request->owner, sha256, out, err);
}

bool device_known(struct request *request)
{
    struct device_caller *caller = mem_new(request->owner, struct device_caller);
    uint8_t sha256[32];
    struct err err;
    if (!request->client_certificate.data)
        return false;
    digest_sha256(request->client_certificate, sha256);
    if (!fleet_identify_known(fleet_of(request), request->owner, sha256, &caller->identity) ||
        !check_time(&caller->identity, request->now, &err))
        return false;
    request->who = caller;
    return true;
}

/* What the edge has against a certificate is all that we learn of it. Counted, and refused. */
static bool edge_refused(struct request *request, struct err *err)
{
    const struct actor actor = fleet_public_actor(request->peer, request->id, request->now);
    const char *reason = mem_format(request->owner, "%.100s", request->certificate_refused);
    CLEANUP(json_decref_at) json_t *detail = json_object();
    json_set(detail, "reason", json_string(reason));
    json_set(detail, "peer", json_string(request->peer));
    return fleet_stranger_note(fleet_of(request), &actor, "device.certificate_refused",
                               json_text(request->owner, detail), err) &&
           err_set(err, ERR_FORBIDDEN, "the client certificate does not hold: %s", reason);
}

bool need_device(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    struct device_caller *caller = mem_new(request->owner, struct device_caller);
    uint8_t sha256[32];
    if (!request->client_certificate.data)
        return request->certificate_refused
                   ? edge_refused(request, err)
                   : err_set(err, ERR_BAD_INPUT, "there is no client certificate");
    digest_sha256(request->client_certificate, sha256);
    if (!identify(request, sha256, &caller->identity, err))
        return false;
    if (!check_time(&caller->identity, request->now, err))
        return false;
    caller->actor = fleet_device_actor(&caller->identity, request->id, request->now);
    request->who = caller;
    return true;
}
