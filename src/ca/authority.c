/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's own certificates and its revocation list. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/ca.h"
#include "fleet/certificate.h"
#include "pki/authorities.h"

#define DELTA_END "-delta.crl"

bool ca_authority(struct request *request, struct authority *out, struct err *err)
{
    const struct fleet *fleet = request->services;
    return keyd_authority(fleet->keyd, request->owner, out, err);
}

static void reply_certificate(struct reply *reply, struct bytes der)
{
    reply_bytes(reply, 200, "application/pkix-cert", der);
    reply_header(reply, "Cache-Control", "public, max-age=3600");
}

/* Its addresses are in certificates: the first one's stay what they were. */
static bool authority_find(struct request *request, int64_t number, struct authority *out,
                           struct err *err)
{
    const struct fleet *fleet = request->services;
    struct authorities all;
    if (!keyd_authorities(fleet->keyd, request->owner, &all, err))
        return false;
    const struct authority *found = authority_of_number(&all, number);
    if (!found || found->role == AUTHORITY_RETIRED)
        return err_set(err, ERR_NOT_FOUND, "there is no such authority");
    *out = *found;
    return true;
}

/* The current one, whatever its number: for people. */
bool ca_root_get(struct request *request, struct reply *reply, struct err *err)
{
    struct authority authority;
    if (!ca_authority(request, &authority, err))
        return false;
    reply_certificate(reply, authority.root);
    return true;
}

bool ca_issuing_get(struct request *request, struct reply *reply, struct err *err)
{
    struct authority authority;
    if (!authority_find(request, 1, &authority, err))
        return false;
    reply_certificate(reply, authority.issuing);
    return true;
}

static bool later_find(struct request *request, struct authority *out, struct err *err)
{
    int64_t number = 0;
    struct err ignored;
    const char *text = request->params[0];
    return number_parse(bytes_text(text), 2, KEYD_AUTHORITIES_MAX, &number, &ignored) &&
                   text[0] != '0'
               ? authority_find(request, number, out, err)
               : err_set(err, ERR_NOT_FOUND, "there is no such authority");
}

bool ca_later_root_get(struct request *request, struct reply *reply, struct err *err)
{
    struct authority authority;
    if (!later_find(request, &authority, err))
        return false;
    reply_certificate(reply, authority.root);
    return true;
}

bool ca_later_issuing_get(struct request *request, struct reply *reply, struct err *err)
{
    struct authority authority;
    if (!later_find(request, &authority, err))
        return false;
    reply_certificate(reply, authority.issuing);
    return true;
}

static bool reply_list(struct request *request, int64_t part, bool is_delta, struct reply *reply,
                       struct err *err)
{
    struct revocation_list list;
    if (!(is_delta ? fleet_revocation_delta_get : fleet_revocation_part_get)(
            request->services, request->owner, part, request->now, &list, err))
        return false;
    reply_bytes(reply, 200, "application/pkix-crl", list.der);
    reply_header(reply, "Cache-Control", "public, max-age=60");
    return true;
}

bool ca_list_get(struct request *request, struct reply *reply, struct err *err)
{
    return reply_list(request, 0, false, reply, err);
}

static bool reply_named(struct request *request, const char *name, struct reply *reply,
                        struct err *err)
{
    size_t size = strlen(name), end = strlen(DELTA_END);
    bool is_delta = size > end && text_equal(name + size - end, DELTA_END);
    int64_t part = fleet_revocation_part_of(
        is_delta ? mem_format(request->owner, "%.*s.crl", (int)(size - end), name) : name);
    if (part < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such certificate or list");
    return reply_list(request, part, is_delta, reply, err);
}

bool ca_part_list_get(struct request *request, struct reply *reply, struct err *err)
{
    return reply_named(request, request->params[0], reply, err);
}

bool ca_later_list_get(struct request *request, struct reply *reply, struct err *err)
{
    struct authority authority;
    return later_find(request, &authority, err) &&
           reply_named(request,
                       mem_format(request->owner, "%s/%s", request->params[0], request->params[1]),
                       reply, err);
}
