/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP/2 connection of the simulated APNs: TLS with a client certificate, nghttp2 above it. */
#pragma once

#include <openssl/ssl.h>

#include "sim/apns_board.h"

struct h2;

struct h2_settings {
    SSL_CTX *tls;
    struct board *board;
    int64_t streams;  /* at once, on one connection */
    int64_t delay_ms; /* of every answer */
};
/* Takes over the descriptor, which must not block. NULL when it cannot start. */
struct h2 *h2_accept(void *owner, const struct h2_settings *settings, int fd);
int h2_fd(const struct h2 *connection);
short h2_events(const struct h2 *connection); /* for poll(2) */
/* Milliseconds until an answer is due; -1: none waits. */
int64_t h2_wait_ms(const struct h2 *connection);
/* Read and write what can be; false when the connection is over. */
bool h2_work(struct h2 *connection);
/* GOAWAY: no new streams; the peer reconnects. */
void h2_goaway(struct h2 *connection);
