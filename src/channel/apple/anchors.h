/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of makers, as the configuration names them. */
#pragma once

#include "base/bytes.h"

/* The file of this key, read each time: an administrator may replace it while we run.
 * ERR_UNAVAILABLE when none is named or it cannot be read; `lacks` says what does not work without
 * it. */
MUST_CHECK bool apple_anchors_read(void *owner, const char *key, const char *path,
                                   const char *lacks, struct bytes *out, struct err *err);
