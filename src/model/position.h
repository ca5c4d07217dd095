/* SPDX-License-Identifier: Apache-2.0 */
/* Where a lost device was when it was asked. */
#pragma once

#include "base/field.h"

struct position {
    double latitude, longitude; /* degrees, WGS 84 */
    double accuracy;            /* metres around them; below 0: not told */
    int64_t measured_at;        /* by the device's clock; 0 = not told */
    int64_t received_at;
};
extern const struct fields position_fields;
