/* SPDX-License-Identifier: Apache-2.0 */
/* What is on devices: told by them in lists, kept as the difference to the last list. */
#pragma once

#include "fleet/fleet.h"
#include "model/command.h"
#include "model/inventory.h"

/* ---- for people; permission device.read ---- */
/* struct inventory_list: which lists a device ever told. */
MUST_CHECK bool fleet_inventory_lists(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *device_id, struct list *out, struct err *err);
/* struct thing, by identifier. INVENTORY_APP: with what is known of managed apps. */
MUST_CHECK bool fleet_inventory_page(struct fleet *fleet, const struct actor *actor, void *owner,
                                     const char *device_id, enum inventory_kind kind,
                                     const struct page *page, struct list *out, struct err *err);

/* ---- for the job ---- */
/* Ask an enrolled device for everything that may be asked of it; *again_at: when the next time is,
 * moved by chance so that devices do not come together; 0: the enrolment has ended. */
MUST_CHECK bool fleet_inventory_refresh(struct fleet *fleet, const char *enrolment_id, int64_t now,
                                        int64_t *again_at, struct err *err);

/* ---- what a device's answer holds ---- */
struct reported_list {
    enum inventory_kind kind;
    const struct thing *things; /* identifiers differ; times are not looked at */
    size_t count;
    bool is_cut;
};

/* ---- inside fleet ---- */
/* What is asked of a device of this ownership; ends with COMMAND_SYNC. */
const enum command_kind *inventory_queries(int ownership);
struct telling {
    const char *device_id;
    enum command_kind answered; /* a list that this command does not ask for is not kept */
    const struct reported_list *list;
    int64_t now;
};
/* Things that are new, changed or gone are written, others are not touched. Of a personal device
 * only what management brought is kept. */
MUST_CHECK bool inventory_save(struct db *tx, const struct telling *telling, struct err *err);
