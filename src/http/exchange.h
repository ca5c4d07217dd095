/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way through libmicrohttpd: head and body are collected on the I/O thread
 * within the limits of the route, the handler runs on a worker while the connection is suspended,
 * and the reply goes out on the I/O thread.
 */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>

#include "http/listener.h"
#include "http/workers.h"

struct door { /* one listening socket */
    struct listener_socket settings;
    const struct router *router;
    const char *spool_directory;
    struct workers *workers;
    void *glancing; /* services of glances */
    void (*refused)(void *context, enum http_urgency urgency);
    void *context;                 /* of refused */
    atomic_size_t *active;         /* requests begun and not completed */
    const atomic_bool *is_closing; /* each reply ends its connection */
    struct MHD_Daemon *daemon;
    int fd, port;
};

/* libmicrohttpd's callbacks; context is the struct door. */
void *exchange_begin(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_go_on(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **exchange);
void exchange_end(void *context, struct MHD_Connection *connection, void **exchange,
                  enum MHD_RequestTerminationCode why);

/* On a worker: run the router, resume the connection. Instead of it: answer 503. */
void exchange_run(void *services, void *item);
void exchange_drop(void *item);
