/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: resolution and compliance of one device, inside a transaction. */
#pragma once

#include "fleet/desired.h"

struct resolving {
    struct fleet *fleet;
    const char *device_id;
    int64_t now;
    bool replan; /* plan even if the variant stays: a new enrolment has nothing yet */
};
/* Variant and desired row written when they differ; compliance evaluated; `plan` job scheduled
 * when there is a difference. */
MUST_CHECK bool device_resolve(struct db *tx, const struct resolving *resolving, struct err *err);
/* The verdict out of rules, facts and the state before; an event when it changes. */
MUST_CHECK bool device_evaluate(struct db *tx, const struct resolving *resolving, struct err *err);

/* The desired variant of a device with its values and the items of its current enrolment. */
MUST_CHECK bool desired_load(struct db *tx, void *owner, const char *device_id,
                             struct effective *out, bool *found, struct err *err);
