/* SPDX-License-Identifier: Apache-2.0 */
/* A listener over real sockets in a temporary directory and on a free loopback port, and a client.
 * It answers /who (as whom it sees the peer), /slow (once the gate is opened), /body and /file
 * (what came). */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include "http/listener.h"
#include "tests/test.h"

#define FILE_MOST (40U << 20) /* bytes that /file takes */

enum { SOCKET_EDGE, SOCKET_OTHER, SOCKET_LOOPBACK };

struct house {
    struct listener *listener;
    struct router *router;
    char directory[64];
    char *edge_path, *other_path;
    struct listener_socket sockets[3];
    sem_t entered, gate; /* the slow handler says that it runs, and waits */
    atomic_int started, stopped;
    bool refuses_services, is_glanced;
    size_t queue; /* places; 0: 2 */
    atomic_int refused[HTTP_URGENCIES];
};
struct house *house_make(void);
MUST_CHECK bool house_open(struct house *house, struct err *err);
int house_set_up(void **state); /* made and open */
int house_tear_down(void **state);
#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, house_set_up, house_tear_down)

#define CLOSE "Host: x\r\nConnection: close\r\n"

int connect_to(const struct house *house, int which);
void say(int fd, const char *text);
/* Reads until text was seen, the peer closed or the deadline passed; returns what came. NULL: all
 * until the peer closes. */
const char *hear(int fd, const char *text);
void assert_heard(const char *heard, const char *wanted);
/* One request that asks for the connection's end; the whole answer. */
const char *ask(const struct house *house, int which, const char *request);
