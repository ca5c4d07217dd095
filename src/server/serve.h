/* SPDX-License-Identifier: Apache-2.0 */
/* The server process: inner listener, workers, and the supervisor's control socket. */
#pragma once

#include "server/options.h"

/* The exit status of a server that found another one on its database, or keys that its database
 * does not belong to: to start it again at once would not help. */
#define SERVE_REFUSED 3

/* Started by the supervisor with CONTROL_FD and KEYD_FD_IN_SERVER open. Exit status. */
int serve_run(const struct options *options);
