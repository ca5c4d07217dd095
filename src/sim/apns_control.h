/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated APNs' control listener: HTTP/1.1 on loopback, one request for each connection.
 *   POST /sim/register?token=&topic=            a device exists
 *   POST /sim/wait?seconds=   tokens as lines   answers {"tokens": [...]} once one was pushed
 *   POST /sim/answer?status=&reason=[&token=][&timestamp=][&retry_after=][&times=]   of the next
 *   POST /sim/goaway                            ends the HTTP/2 connections gracefully
 *   POST /sim/certificates?accept=0|1           push certificates are revoked, or good again
 *   GET  /sim/count                             how many pushes, connections, pushes at once
 *   GET  /sim/pushes                            all pushes so far
 */
#pragma once

#include "sim/apns_board.h"

struct control;

/* goaway is called for /sim/goaway. */
struct control *control_make(void *owner, struct board *board, void (*goaway)(void *context),
                             void *context);
/* A new connection; the descriptor is closed by the control. */
void control_accept(struct control *control, int fd);
/* For poll(2): appends to the list of room entries, returns how many. */
struct pollfd;
size_t control_poll_fill(const struct control *control, struct pollfd *list, size_t room);
/* After poll(2): read, answer, and end waits that were pushed or are over. */
void control_poll_take(struct control *control, const struct pollfd *list, size_t count);
