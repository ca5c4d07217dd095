/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server and the edge give up: files that are not its own (Landlock), and system calls
 * that only an intruder would want (seccomp).  Where the kernel has no Landlock this is logged.
 */
#pragma once

#include "server/options.h"

/* In the process that becomes the edge, before it is executed: it reads its files, writes its
 * temporary ones, and starts nothing but itself. */
MUST_CHECK bool sandbox_edge(const struct options *options, struct err *err);
/* Before the first thread: rules hold for this thread and those it starts. */
MUST_CHECK bool sandbox_files(const struct options *options, struct err *err);
/* For all threads, when no program needs to be started any more. */
MUST_CHECK bool sandbox_calls(struct err *err);
