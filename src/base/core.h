/* SPDX-License-Identifier: Apache-2.0 */
/* No image of this process's memory on a disk: it holds secrets. */
#pragma once

#include "base/err.h"

/* No core files, also of what is executed later; until then no other process may look into it. */
MUST_CHECK bool core_forbid(struct err *err);
