/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as people look at them. */
#pragma once

#include "fleet/fleet.h"
#include "model/account.h"
#include "model/device.h"

struct device_filter {      /* NULL = any */
    const char *text;       /* part of the name, or the whole serial number or UDID */
    const char *compliance; /* state */
    bool with_left;         /* those that left management, too */
    bool only_shut_out;     /* those alone that are refused whenever they call */
};
MUST_CHECK bool fleet_device_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const struct device_filter *filter, const struct page *page,
                                  struct list *out, struct err *err);
/* By id; else by serial number, UDID or exact name, of which none is stronger: a device tells them
 * of itself. ERR_CONFLICT when more than one device answers to it. Permission device.read. */
MUST_CHECK bool fleet_device_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const char *which, struct device *out, struct err *err);
struct event_filter { /* NULL, 0: everything */
    const char *device_id, *kind;
    int64_t since;
};
/* What happened, newest first: struct event. Permission device.read. */
MUST_CHECK bool fleet_event_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const struct event_filter *filter, const struct page *page,
                                 struct list *out, struct err *err);
struct fleet_status { /* numbers for the status page */
    int64_t device_count;
    char *compliance;          /* JSON object: state -> count */
    int64_t waiting_requests;  /* for certificates, until somebody approves or denies them */
    int64_t shed[FLEET_SHEDS]; /* requests refused because too many waited */
};
MUST_CHECK bool fleet_status_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                 struct fleet_status *out, struct err *err);
