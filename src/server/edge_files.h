/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what the edge reads: its configuration, certificates and keys. */
#pragma once

#include "server/wiring.h"

/* *changed: something is different from what was there. Temporary memory only. */
MUST_CHECK bool edge_files_write(const struct house *house, bool *changed, struct err *err);
/* Let an embedded edge's program read its configuration: before sandbox_calls(). */
MUST_CHECK bool edge_files_check(const struct options *options, struct err *err);
