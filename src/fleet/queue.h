/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: putting a command into a device's queue. */
#pragma once

#include "fleet/act.h"

struct queued {
    const char *id; /* NULL: made here, and an equal open one serves; else that is ERR_CONFLICT */
    const char *enrolment_id;
    enum command_kind kind;
    const char *item, *parameters; /* may be NULL */
    const char *created_by;
    int64_t now;
};
/* Inserts it and schedules the wake-up. */
MUST_CHECK bool command_queue(struct db *tx, const struct queued *queued, struct err *err);
/* What the device refused is offered once more: somebody may have put it right there. */
MUST_CHECK bool failed_queue(struct db *tx, const char *enrolment_id, int64_t now, struct err *err);
/* Bring this content of an item (hash NULL: take it away); what was open for the item ends. */
MUST_CHECK bool item_queue(struct db *tx, const char *enrolment_id, const char *item,
                           const char *hash, int64_t now, struct err *err);
/* The same for an item that the device fetches by itself: only the wish; declare_queue tells. */
MUST_CHECK bool item_declare(struct db *tx, const char *enrolment_id, const char *item,
                             const char *hash, int64_t now, struct err *err);
/* What no command ever brought to the device is not taken from it: the wish alone goes. */
MUST_CHECK bool item_unwant(struct db *tx, const char *enrolment_id, const char *item, int64_t now,
                            struct err *err);
/* Tell the device that its declarations have this token; an older one that waits ends. */
MUST_CHECK bool declare_queue(struct db *tx, const char *enrolment_id, const char *token,
                              int64_t now, struct err *err);
