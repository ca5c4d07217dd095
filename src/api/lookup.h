/* SPDX-License-Identifier: Apache-2.0 */
/* Inside api only: objects that routes name. */
#pragma once

#include "http/http.h"
#include "model/device.h"

/* The device of the route's first hole: by id, serial number, UDID or name. */
MUST_CHECK bool api_device(const struct request *request, struct device *out, struct err *err);
