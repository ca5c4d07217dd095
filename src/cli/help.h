/* SPDX-License-Identifier: Apache-2.0 */
/* What can be typed, from the tables. */
#pragma once

#include "base/bytes.h"

/* topic: "" everything, "device" all of it, "device wipe" one command in detail. The whole help has
 * the form that tools/man.py reads. */
void help_write(struct buffer *out, const char *topic);
