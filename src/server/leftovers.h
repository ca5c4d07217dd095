/* SPDX-License-Identifier: Apache-2.0 */
/* Workers of an edge whose master and supervisor were both killed: they would keep our ports. */
#pragma once

#include <stdint.h>

/* What nginx wrote there after it had opened its ports; 0: nothing. */
int64_t pid_file_read(const char *path);
/* End every process named "nginx" of this user in the process group that the pid file names. */
void leftovers_end(const char *pid_file, unsigned user);
