/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what a device reported, saved and weighed in the caller's transaction. */
#pragma once

#include "fleet/act.h"

struct observed {
    struct fleet *fleet;
    const char *device_id, *enrolment_id; /* the one that reports */
    const struct fact *facts;
    size_t count;
    int64_t now;
};
/* Facts written, the device row brought up to date, compliance evaluated. */
MUST_CHECK bool facts_save(struct db *tx, const struct observed *observed, struct err *err);

struct comparing {
    const struct identity *identity;
    const struct command_result *result;
    const struct delivered *row;
    int64_t now;
};
/* One delivered item against what the device says it has: verified, or to be installed again. */
MUST_CHECK bool item_compare(struct db *tx, const struct comparing *comparing, struct err *err);
