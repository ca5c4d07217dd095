/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Desired state: what should be on a device (its variant), what is, and the difference.  A room
 * splits a variant into items (an Apple profile each); fleet compares hashes and queues commands.
 */
#pragma once

#include "fleet/act.h"
#include "model/declaration.h"
#include "policy/resolve.h"

struct effective { /* what holds for a device */
    char *device_id;
    char *variant_hash;
    int platform;
    const struct setting_value *values; /* states DECISION_SET and DECISION_CONFLICT */
    size_t count;
    char *decisions;               /* JSON array: the decision records (fleet/explain.h) */
    const struct delivered *items; /* of the current enrolment */
    size_t item_count;
    int64_t changed_at;
    const char *os_version; /* may be NULL */
    bool is_supervised;
    bool by_account; /* enrolled by an account: what names the hardware is not asked of it */
    const char *organization;
    struct declarative declarative; /* of the current enrolment */
    /* fleet_effective alone fills these: */
    const char *device_url;    /* where devices fetch what they are declared; NULL: nowhere */
    bool declared_profiles;    /* profiles are declared to who can fetch them */
    const struct bytes *roots; /* DER: what it is to trust, where that is more than what came with
                                  its enrolment (TRUST_ITEM); none else */
    size_t root_count;
};
/* ERR_NOT_FOUND for an unknown device. Permission device.read is checked when actor is an account.
 */
MUST_CHECK bool fleet_effective(struct fleet *fleet, const struct actor *actor, void *owner,
                                const char *device_id, struct effective *out, struct err *err);

/* The items as people see them: those that went to the channels of the device's people, too. */
MUST_CHECK bool fleet_effective_items(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *device_id, struct list *out, struct err *err);

struct wanted_item {  /* made by the room out of the values; equal variants give equal items */
    const char *item; /* "password": stable name */
    const char *hash; /* of what would be delivered */
    enum carrier carrier;
};
/*
 * Compare with what was delivered and queue install/remove for the difference; older open
 * install/remove commands of the same item are superseded. A device whose declarations have another
 * token than the one it was told is told this one; declarations NULL: it is told of none. Does
 * nothing when variant_hash is not the device's desired one any more (a newer plan follows).
 * Idempotent.
 */
MUST_CHECK bool fleet_plan(struct fleet *fleet, const struct actor *actor, const char *device_id,
                           const char *variant_hash, const struct wanted_item *items, size_t count,
                           const char *declarations, struct err *err);
/* Devices whose variant was resolved but not planned yet, at most `limit` in the order of
 * their ids, behind `after` (NULL = from the start); for the planning job. */
MUST_CHECK bool fleet_unplanned(struct fleet *fleet, void *owner, const char *after, int64_t limit,
                                char ***device_ids, size_t *count, struct err *err);
/* How rooms answer "can this platform carry it": given once at start. */
typedef const char *fleet_unsupported(enum setting_id setting, const struct target_device *device);
/* And with which value: see struct target_device. */
typedef int64_t fleet_nearest(enum setting_id setting, const struct target_device *device,
                              int64_t value);
void fleet_set_rooms(struct fleet_shared *shared, fleet_unsupported *unsupported,
                     fleet_nearest *nearest);

/* Facts and the verdict with its records, as the API shows them. */
MUST_CHECK bool fleet_fact_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                const char *device_id, struct list *out, struct err *err);
struct compliance_view {
    char *state;
    int64_t since, evaluated_at;
    char *results; /* JSON array: the decision records */
};
MUST_CHECK bool fleet_compliance_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                     const char *device_id, struct compliance_view *out,
                                     struct err *err);
