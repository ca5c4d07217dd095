/* SPDX-License-Identifier: Apache-2.0 */
#include "model/position.h"

static const struct field rows[] = {
    REAL_FIELD(struct position, latitude, FIELD_READ_ONLY, .help = "Degrees north (WGS 84)"),
    REAL_FIELD(struct position, longitude, FIELD_READ_ONLY, .help = "Degrees east"),
    REAL_FIELD(struct position, accuracy, FIELD_READ_ONLY,
               .help = "Metres around it; below 0: the device did not tell"),
    TIME_FIELD(struct position, measured_at, FIELD_READ_ONLY, .help = "By the device's clock"),
    TIME_FIELD(struct position, received_at, FIELD_READ_ONLY, .help = "When the answer came"),
};
const struct fields position_fields = FIELDS(rows);
