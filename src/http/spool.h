/* SPDX-License-Identifier: Apache-2.0 */
/* Inside http only: a large body on its way into a file that has no name and goes with its request.
 */
#pragma once

#include "base/bytes.h"

/* A new file in this directory (O_TMPFILE, 0600); *fd is the caller's to close. ERR_UNAVAILABLE. */
MUST_CHECK bool spool_open(const char *directory, int *fd, struct err *err);
/* All of it, or ERR_UNAVAILABLE: the disk is full. */
MUST_CHECK bool spool_add(int fd, struct bytes part, struct err *err);
