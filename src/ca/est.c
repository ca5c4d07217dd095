/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EST (RFC 7030) over HTTP: another way to bring the same request to the same decision as SCEP.
 * The one-time challenge comes as the password of HTTP Basic, or the present certificate by TLS.
 */
#include "pki/est.h"

#include "base/mem.h"
#include "base/text.h"
#include "ca/asked.h"
#include "ca/ca.h"
#include "fleet/issue.h"
#include "pki/authorities.h"

#define TYPE_BUNDLE "application/pkcs7-mime; smime-type=certs-only"
#define TYPE_REQUEST "application/pkcs10"
#define TYPE_TEXT "text/plain; charset=utf-8"
/* The protocol has no name for an exchange: challenge or signer, and the key, tell a repeat. */
#define TRANSACTION "est"
#define RETRY_SECONDS "60" /* while somebody decides */
#define REALM "Basic realm=\"one-time challenge\", charset=\"UTF-8\""

/* 4.2.3: without a content type of its own a refusal is text for people. */
void ca_est_error(const struct request *request, const struct err *err, struct reply *reply)
{
    bool is_inner = err->kind == ERR_INTERNAL;
    const char *text =
        mem_format(request->owner, "%s\n", is_inner ? "something failed inside" : err->text);
    reply_bytes(reply, http_status_of(err->kind), TYPE_TEXT, bytes_text(text));
    if (err->kind == ERR_UNAVAILABLE)
        reply_header(reply, "Retry-After", "5");
}

/* ---- who asks ---- */

struct sign_in {
    const char *challenge;
};

static bool certificate_fine(const struct request *request, struct err *err)
{
    return !request->certificate_refused ||
           err_set(err, ERR_FORBIDDEN, "the client certificate does not hold: %.100s",
                   request->certificate_refused);
}

/* Leaves a struct sign_in in request->who. */
bool ca_est_need_challenge(struct request *request, struct reply *reply, struct err *err)
{
    struct sign_in *found = mem_new(request->owner, struct sign_in);
    if (!certificate_fine(request, err))
        return false;
    if (!est_password_parse(request->owner, request_header(request, "Authorization"),
                            &found->challenge, err)) {
        reply_header(reply, "WWW-Authenticate", REALM);
        return false;
    }
    request->who = found;
    return true;
}

bool ca_est_need_certificate(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    return certificate_fine(request, err) &&
           (request->client_certificate.size > 0 ||
            err_set(err, ERR_FORBIDDEN,
                    "renewing takes the present certificate by TLS, at the door of devices"));
}

/* ---- answers ---- */

static void reply_bundle(struct request *request, struct reply *reply,
                         const struct bytes *certificates, size_t count)
{
    reply_bytes(reply, 200, TYPE_BUNDLE, est_bundle_render(request->owner, certificates, count));
}

static void reply_unknown(struct reply *reply)
{
    reply_bytes(reply, 401, TYPE_TEXT, bytes_text("the challenge is unknown\n"));
    reply_header(reply, "WWW-Authenticate", REALM);
}

static void reply_pending(struct reply *reply)
{
    reply_bytes(reply, 202, TYPE_TEXT, bytes_text("somebody has to decide; ask the same again\n"));
    reply_header(reply, "Retry-After", RETRY_SECONDS);
}

static bool type_check(const struct request *request, struct err *err)
{
    const char *type = request_header(request, "Content-Type");
    return (type && text_starts(type, TYPE_REQUEST)) ||
           err_set(err, ERR_BAD_INPUT, "a request for a certificate is " TYPE_REQUEST);
}

/* challenge or signer, not both. */
static bool enrol(struct request *request, const char *challenge, struct bytes signer,
                  struct reply *reply, struct err *err)
{
    struct certificate_request asked;
    struct attribute_list attributes = {.count = 0};
    struct issued issued;
    struct actor actor = asked_actor(request);
    if (!type_check(request, err) || !est_request_parse(request->owner, request->body, &asked, err))
        return false;
    struct certificate_asked wish = asked_request(request->owner, &asked, &attributes);
    /* 3.5: such a binding is verified or refused, and the edge ends TLS. Clients of SCEP leave the
     * challenge where they are used to have it. */
    if (asked.challenge && !text_equal(asked.challenge, challenge))
        wish.objection = "the request is bound to a TLS channel";
    wish.challenge = challenge;
    wish.signer = signer;
    wish.transaction_id = TRANSACTION;
    if (!fleet_issue(request->services, &actor, request->owner, &wish, &issued, err))
        return false;
    if (issued.is_unknown)
        reply_unknown(reply);
    else if (issued.is_refused)
        return err_set(err, ERR_FORBIDDEN, "the request was refused; people here can see why");
    else if (issued.is_pending)
        reply_pending(reply);
    else
        reply_bundle(request, reply, &issued.der, 1);
    return true;
}

/* ---- the operations ---- */

/* 4.1.3: what certificates of ours may stand under meanwhile, and the next root ahead of its use.
 */
bool ca_est_authority(struct request *request, struct reply *reply, struct err *err)
{
    struct fleet *fleet = request->services;
    struct authorities all;
    size_t root_count, count = 0;
    if (!keyd_authorities(fleet->keyd, request->owner, &all, err))
        return false;
    const struct bytes *roots = authority_roots(request->owner, &all, &root_count);
    struct bytes *chain = mem_array(request->owner, struct bytes, 2 * all.count + 1);
    for (size_t i = all.count; i-- > 0;)
        if (authority_signs(&all.list[i]))
            chain[count++] = all.list[i].issuing;
    for (size_t i = 0; i < root_count; i++)
        chain[count++] = roots[i];
    reply_bundle(request, reply, chain, count);
    return true;
}

/* Nothing of a request counts but its key: there is nothing to ask for (4.5.2). */
bool ca_est_attributes(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)err;
    reply_empty(reply, 204);
    return true;
}

bool ca_est_enrol(struct request *request, struct reply *reply, struct err *err)
{
    const struct sign_in *who = request->who;
    return enrol(request, who->challenge, NO_BYTES, reply, err);
}

bool ca_est_renew(struct request *request, struct reply *reply, struct err *err)
{
    return enrol(request, NULL, request->client_certificate, reply, err);
}
