/* SPDX-License-Identifier: Apache-2.0 */
#include "http/loopback.h"

#include "http/target.h"

void loopback_run(const struct router *router, struct request *request, const char *target,
                  struct reply *reply)
{
    struct err err;
    if (!request->peer)
        request->peer = "127.0.0.1";
    if (!request->door)
        request->door = DOOR_FRONT;
    *reply = (struct reply){0};
    if (target_parse(router, request, target, &err))
        router_run(router, request, reply);
    else
        problem_render(request, &err, reply);
}
