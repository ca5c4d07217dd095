/* SPDX-License-Identifier: Apache-2.0 */
/* What keyd may still ask of the kernel once it holds its keys. */
#pragma once

#include "base/err.h"

/* Before any key is in memory: no core dump, no debugger, no new privileges. */
MUST_CHECK bool sandbox_prepare(struct err *err);
/* From here on: memory, time, randomness, the descriptors that are open. Anything else kills. */
MUST_CHECK bool sandbox_close(struct err *err);
