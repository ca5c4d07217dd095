/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick of the bench: the same listener, the same worker hand-off, and a handler that does
 * nothing.  Usage: bench-empty SOCKET WORKERS; ends when its standard input closes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/listener.h"

static bool nothing(struct request *request, struct reply *reply, struct err *err)
{
    (void)request;
    (void)err;
    reply_empty(reply, 200);
    return true;
}

static const struct route routes[] = {
    {HTTP_PUT, "/apple/connect", nothing, .doors = DOOR_DEVICE, .body_limit = 5 << 20},
};
static const struct routes tables[] = {{routes, COUNT(routes)}};

static bool services_start(void *context, void **services, struct err *err)
{
    (void)err;
    *services = context;
    return true;
}

static void services_stop(void *context, void *services)
{
    (void)context;
    (void)services;
}

int main(int count, char **words)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct listener *listener;
    struct err err;
    int64_t workers;
    char byte;
    if (count != 3 || !number_parse(bytes_text(words[2]), 1, 256, &workers, &err))
        return fputs("usage: bench-empty SOCKET WORKERS\n", stderr), 2;
    struct listener_socket sockets[] = {
        {.door = DOOR_DEVICE, .path = words[1], .trusts_edge = true}};
    struct listener_settings listening = {.sockets = sockets,
                                          .socket_count = 1,
                                          .router = router_make(owner, tables, 1),
                                          .workers = (unsigned)workers,
                                          .queue_limit = 1024,
                                          .idle_seconds = 90,
                                          .worker_start = services_start,
                                          .worker_stop = services_stop};
    if (!listener_start(owner, &listening, &listener, &err))
        return fprintf(stderr, "bench-empty: %s\n", err.text), 1;
    (void)puts("ready");
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    listener_stop(listener, 5);
    return 0;
}
