/* SPDX-License-Identifier: Apache-2.0 */
/* Idle connections with a client certificate: what one costs the server is measured with these. */
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "sim/channel.h"
#include "sim/program.h"

static void files_allow(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* too few: opening tells */
    }
}

static bool connection_open(void *owner, const struct phone *phone,
                            const struct web_request *request, struct err *err)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct web *web = NULL;
    struct web_reply reply;
    if (!web_open(owner, &phone->web_options, &web, err))
        return false;
    web_identity_set(web, phone->key, phone->certificate, phone->chain);
    if (!web_send(web, scratch, request, &reply, err))
        return false;
    return reply.status == 200 ||
           err_set(err, ERR_UNAVAILABLE, "the server answered Idle with %d", reply.status);
}

bool apple_hold(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct web_options web = {0};
    struct phone *phone = NULL;
    struct web_request request = {.method = "PUT",
                                  .content_type = "application/x-apple-aspen-mdm; charset=UTF-8"};
    if (!phone_load(owner, options->state, &web, &phone, err))
        return false;
    if (phone->enrolment.status != PHONE_ENROLLED)
        return err_set(err, ERR_PRECONDITION, "the phone is not enrolled");
    struct plist *idle = plist_new_dict(owner);
    plist_set_text(idle, "UDID", phone->model.udid);
    plist_set_text(idle, "Status", "Idle");
    request.url = phone->enrolment.server_url;
    if (!channel_render(owner, idle, &request.body, err))
        return false;
    files_allow();
    stop_watch();
    int64_t held = 0;
    for (; held < options->connections && !stop_asked(); held++)
        if (!connection_open(owner, phone, &request, err))
            return err_context(err, "connection %d", (int)held);
    CLEANUP(json_decref_at) json_t *line = json_pack("{s:I}", "holding", (json_int_t)held);
    line_print(line);
    int64_t until = clock_monotonic_ms() + options->seconds * 1000;
    while (!stop_asked() && clock_monotonic_ms() < until) {
        struct timespec pause = {.tv_nsec = 200000000};
        (void)nanosleep(&pause, NULL);
    }
    json_object_set_new(result, "held", json_integer(held));
    return true;
}
