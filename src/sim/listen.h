/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets on the loopback, for simulated services. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* port 0: any. The caller closes *out. */
MUST_CHECK bool loopback_listen(int64_t port, int *out, struct err *err);
int loopback_port(int fd);
