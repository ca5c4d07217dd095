/* SPDX-License-Identifier: Apache-2.0 */
/* The few words between the supervisor and the server, over a SOCK_SEQPACKET socketpair. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum control_word {
    CONTROL_KEYD = 1,     /* to the server, with a descriptor: keyd was restarted */
    CONTROL_RELOAD,       /* to the server: write the edge's files again */
    CONTROL_EDGE_READY,   /* to the supervisor: the files are there, the sockets open */
    CONTROL_EDGE_CHANGED, /* the same, and a running edge must read them again */
    CONTROL_EDGE_UP,      /* to the server: the edge has opened its ports (or is not ours) */
    CONTROL_EDGE_DOWN,    /* to the server: it has not */
    CONTROL_KEYD_HUNG,    /* to the supervisor: keyd does not answer */
};

/* Descriptors that the children of the supervisor find open. Settings may hold a password, so that
 * they are no words of a command line. */
enum { CONTROL_FD = 3, KEYD_FD_IN_SERVER = 4, KEYD_FD_IN_KEYD = 3 };
#define SETTINGS_IN_SERVER "/proc/self/fd/6"
#define SETTINGS_IN_KEYD "/proc/self/fd/5"

/* fd to pass along, or -1. */
MUST_CHECK bool control_send(int control, enum control_word word, int fd, struct err *err);
/* Does not wait. *word 0: nothing there. *fd -1 or a descriptor that now is the caller's.
 * ERR_UNAVAILABLE: the other side is gone. */
MUST_CHECK bool control_receive(int control, enum control_word *word, int *fd, struct err *err);
