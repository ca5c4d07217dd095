/* SPDX-License-Identifier: Apache-2.0 */
/* Inside http only: what a route lets itself be asked. */
#pragma once

#include "http/http.h"

/* Each query parameter is one of the route's `asks` table and fits its row; for routes that are
 * described (those with a name). ERR_BAD_INPUT with "?name" as its place. */
MUST_CHECK bool query_check(const struct request *request, struct err *err);
