/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP (RFC 6960, RFC 5019): answered from the live state of certificate and enrolment. */
#include "pki/ocsp.h"

#include "base/mem.h"
#include "ca/ca.h"
#include "fleet/certificate.h"
#include "pki/authorities.h"

#define TYPE_RESPONSE "application/ocsp-response"
/* thisUpdate to nextUpdate: short, so that a block takes effect */
#define LIFE_SECONDS (4 * 3600)

static bool reply_error(struct request *request, struct reply *reply, enum ocsp_error error)
{
    reply_bytes(reply, 200, TYPE_RESPONSE, ocsp_error_render(request->owner, error));
    return true;
}

/* *foreign: somebody else's certificate; we are not the one to say anything about it. */
static bool singles_fill(struct request *request, int64_t issuer, const struct ocsp_request *asked,
                         struct ocsp_single *singles, bool *foreign, struct err *err)
{
    struct fleet *fleet = request->services;
    *foreign = false;
    for (size_t i = 0; i < asked->count && !*foreign; i++) {
        struct certificate_status status;
        const struct ocsp_question *question = &asked->questions[i];
        *foreign = !question->is_ours;
        if (!fleet_certificate_status(fleet, question->serial, &status, err))
            return false;
        singles[i] = (struct ocsp_single){.cert_id = question->cert_id,
                                          .state = !status.is_known || status.authority != issuer
                                                       ? OCSP_UNKNOWN
                                                   : status.is_revoked ? OCSP_REVOKED
                                                                       : OCSP_GOOD,
                                          .revoked_at = status.revoked_at,
                                          .reason = (int)status.reason};
    }
    return true;
}

static bool answer(struct request *request, int64_t issuer, const struct ocsp_request *asked,
                   struct reply *reply, struct err *err)
{
    struct fleet *fleet = request->services;
    struct ocsp_single singles[OCSP_QUESTIONS_MAX];
    struct bytes der;
    bool foreign;
    if (!singles_fill(request, issuer, asked, singles, &foreign, err))
        return reply_error(request, reply, OCSP_ERROR_TRY_LATER);
    if (foreign)
        return reply_error(request, reply, OCSP_ERROR_UNAUTHORIZED);
    if (!keyd_sign_ocsp(fleet->keyd, request->owner, singles, asked->count, asked->nonce,
                        request->now, request->now + LIFE_SECONDS, &der, err))
        return reply_error(request, reply, OCSP_ERROR_TRY_LATER);
    reply_bytes(reply, 200, TYPE_RESPONSE, der);
    /* RFC 5019 6.2 lets caches keep it; ours must say "revoked" at once */
    reply_header(reply, "Cache-Control", "no-cache");
    return true;
}

typedef bool ocsp_parser(void *owner, struct bytes in, struct bytes issuing,
                         struct ocsp_request *out, struct err *err);

/* One answer is of one issuer: the one that the first question names. */
static bool respond(struct request *request, ocsp_parser *parse, struct bytes in,
                    struct reply *reply, struct err *err)
{
    struct fleet *fleet = request->services;
    struct authorities all;
    struct ocsp_request asked = {.count = 0};
    int64_t issuer = 0;
    if (!keyd_authorities(fleet->keyd, request->owner, &all, err))
        return reply_error(request, reply, OCSP_ERROR_TRY_LATER);
    for (size_t i = all.count; i-- > 0 && !(asked.count > 0 && asked.questions[0].is_ours);) {
        if (!authority_signs(&all.list[i]))
            continue;
        if (!parse(request->owner, in, all.list[i].issuing, &asked, err))
            return reply_error(request, reply, OCSP_ERROR_MALFORMED);
        issuer = all.list[i].number;
    }
    return answer(request, issuer, &asked, reply, err);
}

bool ca_ocsp_post(struct request *request, struct reply *reply, struct err *err)
{
    return respond(request, ocsp_parse, request->body, reply, err);
}

bool ca_ocsp_get(struct request *request, struct reply *reply, struct err *err)
{
    return respond(request, ocsp_parse_path, bytes_text(request->params[0]), reply, err);
}
