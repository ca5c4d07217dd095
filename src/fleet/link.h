/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: finding a link by its secret. */
#pragma once

#include "fleet/enrol.h"

MUST_CHECK bool link_mac(struct fleet *fleet, const char *token, uint8_t mac[32], struct err *err);
/* ERR_NOT_FOUND unless it can be used at `now`. */
MUST_CHECK bool link_find(struct fleet *fleet, void *owner, const char *token, int64_t now,
                          struct enrolment_link *out, struct err *err);
