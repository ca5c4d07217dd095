/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/steps.h"

#include "base/mem.h"
#include "pki/digest.h"

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

bool need_device(struct request *request, struct reply *reply, struct err *err)
{
    (void)reply;
    struct device_caller *caller = mem_new(request->owner, struct device_caller);
    uint8_t sha256[32];
    if (!request->client_certificate.data)
        return err_set(err, ERR_BAD_INPUT, "there is no client certificate");
    digest_sha256(request->client_certificate, sha256);
    if (!fleet_identify(fleet_of(request), request->owner, sha256, &caller->identity, err)) {
        if (err->kind == ERR_NOT_FOUND)
            return err_set(err, ERR_BAD_INPUT, "the client certificate is none of ours");
        return false;
    }
    if (!check_time(&caller->identity, request->now, err))
        return false;
    caller->actor = fleet_device_actor(&caller->identity, request->id, request->now);
    request->who = caller;
    return true;
}
