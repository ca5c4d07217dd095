/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/log.h"
#include "keyd/answer.h"
#include "keyd/enter.h"
#include "keyd/sandbox.h"

/* False when the connection is over. A refusal is an answer; garbage is answered and forgotten. */
static bool serve_one(int fd, struct vault *vault, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer payload, out;
    struct wire_head head, reply;
    struct bytes answer;
    buffer_init(&payload, scratch, WIRE_MESSAGE_MAX);
    buffer_init(&out, scratch, WIRE_MESSAGE_MAX);
    if (wire_receive(fd, -1, &head, &payload, err)) {
        int64_t now = clock_now();
        struct err renewing;
        if (!vault_refresh(vault, now, &renewing))
            log_err("keyd.renewing", &renewing, NULL);
        keyd_answer(vault, now, &head, (struct bytes){payload.data, payload.size}, &reply, &out);
    } else {
        if (err->kind == ERR_UNAVAILABLE)
            return false;
        reply = head;
        reply.status = (uint8_t)err->kind;
        buffer_text(&out, err->text);
    }
    bool sent = buffer_done(&out, &answer, err) && wire_send(fd, &reply, answer, err);
    bytes_wipe(payload.data, payload.size);
    bytes_wipe(out.data, out.size);
    return sent;
}

static bool start(const struct keyd_options *options, void *owner, struct vault **vault,
                  struct err *err)
{
    return keyd_enter(options, owner, clock_now(), vault, err) && sandbox_close(err);
}

int keyd_main(int fd, const struct keyd_options *options)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const struct timeval patience = {.tv_sec = WIRE_TIMEOUT_MS / 1000};
    struct vault *vault;
    struct err err;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!start(options, owner, &vault, &err)) {
        log_err("keyd.start", &err, NULL);
        return 1;
    }
    log_event(LOG_INFO, "keyd.ready", NULL);
    while (serve_one(fd, vault, &err))
        continue;
    return 0;
}
