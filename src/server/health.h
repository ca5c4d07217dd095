/* SPDX-License-Identifier: Apache-2.0 */
/* /livez: the process answers.  /readyz: the database and keyd answer too, and
 * the edge runs. */
#pragma once

#include "http/http.h"

extern const struct routes health_routes;
