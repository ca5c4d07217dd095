/* SPDX-License-Identifier: Apache-2.0 */
/* SCEP (RFC 8894) over HTTP: a typed message from pki, a decision from fleet, one reply. */
#include "pki/scep.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ca/asked.h"
#include "ca/ca.h"
#include "fleet/inquiry.h"
#include "fleet/issue.h"
#include "pki/authorities.h"

#define TYPE_MESSAGE "application/x-pki-message"
#define TYPE_AUTHORITY "application/x-x509-ca-ra-cert" /* 4.2.1.2 */
#define TYPE_NEXT "application/x-x509-next-ca-cert"    /* 4.7.1 */

struct exchange { /* one PKIOperation */
    struct request *request;
    struct fleet *fleet;
    struct authorities authorities;
    struct scep_message message;
    struct bytes reply;
};

/* ---- decisions by message type ---- */

static bool failure(struct exchange *e, enum scep_failure reason, struct err *err)
{
    if (e->message.why) /* the peer hears a number, people read the sentence */
        log_event(LOG_INFO, "scep.refused", "request", e->request->id, "peer", e->request->peer,
                  "why", e->message.why, NULL);
    return scep_render_failure(e->request->owner, e->fleet->keyd, e->message.authority, &e->message,
                               reason, &e->reply, err);
}

/* With the CA that it is from, which may be a later one than the RA that answers. */
static bool success(struct exchange *e, struct bytes der, struct err *err)
{
    const struct authority *issuer = authority_of_leaf(&e->authorities, der);
    if (!issuer)
        return err_set(err, ERR_INTERNAL, "a certificate of no authority");
    return scep_render_success(e->request->owner, e->fleet->keyd, e->message.authority, &e->message,
                               der, issuer->issuing, &e->reply, err);
}

static bool issued_reply(struct exchange *e, const struct issued *issued, struct err *err)
{
    void *owner = e->request->owner;
    if (issued->is_refused)
        return failure(e, SCEP_BAD_REQUEST, err);
    if (issued->is_pending)
        return scep_render_pending(owner, e->fleet->keyd, e->message.authority, &e->message,
                                   &e->reply, err);
    return success(e, issued->der, err);
}

static bool issue(struct exchange *e, struct err *err)
{
    void *owner = e->request->owner;
    struct attribute_list attributes = {.count = 0};
    struct issued issued;
    struct actor actor = asked_actor(e->request);
    struct certificate_asked wish = asked_request(owner, &e->message.request, &attributes);
    wish.transaction_id = e->message.transaction;
    wish.signer = e->message.signer_is_ours ? e->message.signer.der : NO_BYTES;
    wish.objection = e->message.why;
    if (!fleet_issue(e->fleet, &actor, owner, &wish, &issued, err))
        return false;
    return issued_reply(e, &issued, err);
}

/* CertPoll: the key that signs it is the one that was asked for. Clients name the RA or the
 * issuing CA as the issuer; nothing hangs on it. */
static bool poll(struct exchange *e, struct err *err)
{
    struct attribute_list attributes = {.count = 0};
    struct issued issued;
    struct actor actor = asked_actor(e->request);
    if (e->message.signer_is_ours) { /* renewal never waits */
        e->message.why = "nothing was asked for that waits";
        return failure(e, SCEP_BAD_REQUEST, err);
    }
    asked_subject(e->request->owner, &e->message.subject, &attributes);
    struct certificate_asked wish = {.is_poll = true,
                                     .transaction_id = e->message.transaction,
                                     .spki = e->message.signer.spki,
                                     .attributes = attributes.items,
                                     .attribute_count = attributes.count};
    return fleet_issue(e->fleet, &actor, e->request->owner, &wish, &issued, err) &&
           issued_reply(e, &issued, err);
}

/* GetCert and GetCRL: the issuer named must be ours, the signer a certificate of ours. */
static bool inquire(struct exchange *e, struct err *err)
{
    void *owner = e->request->owner;
    struct scep_message *message = &e->message;
    const struct authority *issuer = authority_of_name(&e->authorities, message->issuer_der);
    int64_t number = issuer ? issuer->number : e->message.authority->number;
    struct inquiry inquiry;
    bool wants_list = message->type == SCEP_GET_CRL;
    if (!(wants_list ? fleet_inquire_list(e->fleet, owner, message->signer.der, number,
                                          e->request->now, &inquiry, err)
                     : fleet_inquire_certificate(e->fleet, owner, message->signer.der,
                                                 message->serial, e->request->now, &inquiry, err)))
        return false;
    if (inquiry.outcome == INQUIRY_ANSWERED &&
        (!issuer || (!wants_list && authority_of_leaf(&e->authorities, inquiry.der) != issuer)))
        inquiry = (struct inquiry){INQUIRY_FOREIGN, "of another issuer", NO_BYTES};
    message->why = inquiry.why;
    switch (inquiry.outcome) {
    case INQUIRY_STRANGER: return failure(e, SCEP_BAD_REQUEST, err);
    case INQUIRY_FOREIGN: return failure(e, SCEP_BAD_CERTIFICATE, err);
    case INQUIRY_ANSWERED: break;
    }
    return wants_list ? scep_render_crl(owner, e->fleet->keyd, message->authority, message,
                                        inquiry.der, &e->reply, err)
                      : success(e, inquiry.der, err);
}

/* A certificate of ours as signer means renewal, whatever the type: clients renew with either. What
 * a renewal must be signed by is nothing that a client could make by itself. */
static bool decide(struct exchange *e, struct err *err)
{
    const struct scep_message *message = &e->message;
    bool is_read = message->request.spki.data != NULL;
    /* a request that was read but cannot be served is refused where people see why */
    if (message->failure == SCEP_BAD_REQUEST && is_read &&
        (message->request.challenge || message->signer_is_ours))
        return issue(e, err);
    if (message->failure != SCEP_NO_FAILURE)
        return failure(e, message->failure, err);
    if (message->type == SCEP_GET_CERTIFICATE || message->type == SCEP_GET_CRL)
        return inquire(e, err);
    if (message->type == SCEP_POLL)
        return poll(e, err);
    if (message->type == SCEP_RENEWAL ? !message->signer_is_ours : message->type != SCEP_REQUEST)
        return failure(e, SCEP_BAD_REQUEST, err);
    return issue(e, err);
}

/* What stands at an address without a name of its own is for network gear, too. */
static bool with_legacy(const struct request *request)
{
    const struct fleet *fleet = request->services;
    const char *profile = request->params[0];
    return fleet->settings->legacy_algorithms && (!profile || text_equal(profile, "network"));
}

static bool operate(struct request *request, struct bytes body, struct reply *reply,
                    struct err *err)
{
    struct exchange e = {.request = request, .fleet = request->services};
    if (!keyd_authorities(e.fleet->keyd, request->owner, &e.authorities, err) ||
        !scep_parse(request->owner, body, e.fleet->keyd, &e.authorities, with_legacy(request),
                    &e.message, err) ||
        !decide(&e, err))
        return false;
    reply_bytes(reply, 200, TYPE_MESSAGE, e.reply);
    return true;
}

/* ---- the doors ---- */

static bool authority_reply(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = request->services;
    struct authority authority;
    if (!keyd_authority(fleet->keyd, request->owner, &authority, err))
        return false;
    reply_bytes(reply, 200, TYPE_AUTHORITY,
                scep_authority_render(request->owner, &authority, true));
    return true;
}

static bool capabilities_reply(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = request->services;
    struct authorities all;
    if (!keyd_authorities(fleet->keyd, request->owner, &all, err))
        return false;
    bool has_next = authority_of_role(&all, AUTHORITY_NEXT) != NULL;
    reply_bytes(reply, 200, "text/plain",
                bytes_text(scep_capabilities(with_legacy(request), has_next)));
    return true;
}

static bool next_reply(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = request->services;
    struct bytes der;
    if (!keyd_sign_next(fleet->keyd, request->owner, &der, err))
        return false;
    reply_bytes(reply, 200, TYPE_NEXT, der);
    return true;
}

bool ca_scep_get(struct request *request, struct reply *reply, struct err *err)
{
    struct scep_query query;
    struct bytes body;
    if (!scep_query_parse(request->owner, request->query_raw, &query, err))
        return false;
    switch (query.operation) {
    case SCEP_GET_CAPABILITIES: return capabilities_reply(request, reply, err);
    case SCEP_GET_AUTHORITY: return authority_reply(request, reply, err);
    case SCEP_GET_NEXT_AUTHORITY: return next_reply(request, reply, err);
    case SCEP_PKI_OPERATION:
        return scep_query_message(request->owner, &query, &body, err) &&
               operate(request, body, reply, err);
    }
    bug("SCEP operation %d", (int)query.operation);
}

bool ca_scep_post(struct request *request, struct reply *reply, struct err *err)
{
    struct scep_query query;
    if (!scep_query_parse(request->owner, request->query_raw, &query, err))
        return false;
    if (query.operation != SCEP_PKI_OPERATION)
        return err_set(err, ERR_BAD_INPUT, "only PKIOperation is posted");
    return operate(request, request->body, reply, err);
}
