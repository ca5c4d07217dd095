/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: items that go to the channel of each of a device's people.  The enrolment of
 * the device keeps the wishes (carrier user_channel), so that somebody who signs in later gets
 * them; each channel keeps what was delivered to it.
 */
#pragma once

#include "fleet/desired.h"
#include "model/device.h"

struct user_items {
    const struct enrolment *enrolment; /* of the device */
    const struct wanted_item *items;   /* those of other carriers are passed over */
    size_t count;
    const struct delivered *has; /* rows of the device's enrolment */
    size_t has_count;
    bool again; /* what failed is tried once more */
    int64_t now;
};
/* Keep the wishes, and queue the difference in every open channel. */
MUST_CHECK bool user_items_plan(struct db *tx, const struct user_items *wanted, struct err *err);
/* Somebody's channel begins: it gets all that is wished for. */
MUST_CHECK bool user_items_begin(struct db *tx, const char *parent_id, const char *channel_id,
                                 int64_t now, struct err *err);
/* Nothing is known of what the person has. */
MUST_CHECK bool user_items_end(struct db *tx, const char *channel_id, struct err *err);
