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
};

/* Descriptors that the children of the supervisor find open. */
enum { CONTROL_FD = 3, KEYD_FD_IN_SERVER = 4, KEYD_FD_IN_KEYD = 3 };

/* fd to pass along, or -1. */
MUST_CHECK bool control_send(int control, enum control_word word, int fd, struct err *err);
/* Does not wait. *word 0: nothing there. *fd -1 or a descriptor that now is the caller's.
 * ERR_UNAVAILABLE: the other side is gone. */
MUST_CHECK bool control_receive(int control, enum control_word *word, int *fd, struct err *err);
