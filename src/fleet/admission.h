/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what a device that enrols may claim to be, and whom it may replace. */
#pragma once

#include "fleet/enrol.h"

/* ERR_FORBIDDEN unless the topic is one that a profile of ours gave it; NULL = not told. */
MUST_CHECK bool admission_topic(struct fleet *fleet, const struct identity *identity,
                                const char *topic, struct err *err);

struct admission {
    void *owner;
    const char *enrolment_id; /* the new one */
    const char *device_id;    /* NULL: a device never seen before */
    int64_t now;
};
/* The link of the enrolment must allow the device: one made for a device allows only that, and a
 * device that is managed comes in only by a link made for it, or by one of the person who carries
 * it and has signed in. ERR_FORBIDDEN. */
MUST_CHECK bool admission_check(struct db *tx, const struct admission *admission, struct err *err);
/* The older enrolment is replaced: said in the device's events and in the audit. */
MUST_CHECK bool admission_replaced(struct db *tx, const struct admission *admission,
                                   const char *old_id, struct err *err);
