/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner listener: libmicrohttpd in plain HTTP on unix sockets (and loopback ports), a few
 * epoll threads that never block, a bounded queue, and worker threads that run the router.
 */
#pragma once

#include "http/router.h"

struct listener_socket {
    enum http_door door;
    const char *path; /* unix socket, mode 0600; NULL: loopback */
    int port;         /* loopback port where path is NULL; 0 = free port */
    bool trusts_edge; /* the peer is the edge: certificate and address headers count */
    /* An edge that runs as somebody else: its uid is accepted beside our own, and the socket is
     * 0660 of this group.  0: only our own uid, mode 0600. */
    unsigned edge_uid, edge_group;
};

struct listener_settings {
    const struct listener_socket *sockets;
    size_t socket_count;
    const struct router *router;
    unsigned workers;   /* threads */
    size_t queue_limit; /* waiting requests; above: 503 with Retry-After. The patient may fill half
                         * of it, the ordinary three quarters (http_urgency) */
    const char *spool_directory; /* for routes with ROUTE_SPOOLS; NULL: there are none */
    unsigned connections;        /* at once, per socket; 0 = 1024 */
    unsigned idle_seconds;       /* connection time-out; longer than the edge's keep-alive */
    void *glancing;              /* services of glances, for all sockets' threads; NULL: none */
    /* Called on each worker thread at its start and end: makes request->services. */
    bool (*worker_start)(void *context, void **services, struct err *err);
    void (*worker_stop)(void *context, void *services);
    /* One was refused because too many wait; on the threads of the sockets. NULL: nobody counts. */
    void (*refused)(void *context, enum http_urgency urgency);
    void *context;
};

struct listener;
MUST_CHECK bool listener_start(void *owner, const struct listener_settings *settings,
                               struct listener **out, struct err *err);
int listener_port(const struct listener *listener, size_t socket_index);
/* No new requests; those under way are answered; returns when all are, or after the deadline.
 * False: a handler still runs then and uses what it was given; call it again, or end the process.
 */
bool listener_stop(struct listener *listener, unsigned seconds);
