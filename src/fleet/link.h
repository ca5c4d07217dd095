/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: finding a link by its secret. */
#pragma once

#include "fleet/enrol.h"

/* ERR_NOT_FOUND unless it can be used at `now`. */
MUST_CHECK bool link_find(struct fleet *fleet, void *owner, const char *token, int64_t now,
                          struct enrolment_link *out, struct err *err);
