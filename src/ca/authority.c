/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's own certificates and its revocation list. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/ca.h"
#include "fleet/certificate.h"
#include "pki/keyd.h"

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
    if (!ca_authority(request, &authority, err))
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

bool ca_part_list_get(struct request *request, struct reply *reply, struct err *err)
{
    const char *name = request->params[0];
    size_t size = strlen(name), end = strlen(DELTA_END);
    bool is_delta = size > end && text_equal(name + size - end, DELTA_END);
    int64_t part = fleet_revocation_part_of(
        is_delta ? mem_format(request->owner, "%.*s.crl", (int)(size - end), name) : name);
    if (part < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such certificate or list");
    return reply_list(request, part, is_delta, reply, err);
}
