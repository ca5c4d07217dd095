/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside fleet only: the one door for changes.  Every mutation goes through fleet_change: it
 * checks the permission, runs the work in one transaction and writes the audit entry beside it.
 */
#pragma once

#include "fleet/fleet.h"

typedef bool change_work(struct db *tx, void *context, struct err *err);

struct change {
    const struct actor *actor;
    const char *action;     /* "policy.create"; NULL: a device's report, kept as facts and events */
    const char *permission; /* NULL: the caller has checked, or the actor is no account */
    const char *subject_kind, *subject_id;
    const char *detail; /* JSON text; NULL = "{}" */
    change_work *work;  /* may run again; touches only tx and context; NULL: a look, only audited */
    void *context;
    const char *forget; /* enrolment whose cached identity ends with the commit; may be NULL */
    bool wakes;         /* background jobs have something to do after the commit */
};
MUST_CHECK bool fleet_change(struct fleet *fleet, const struct change *change, struct err *err);

/* ---- for the work inside ---- */
/* An audit entry for what only turns out inside a change; action, subject and detail count. */
MUST_CHECK bool change_audit(struct db *tx, const struct change *change, struct err *err);
/* device_id may be NULL; body is JSON text. */
MUST_CHECK bool event_add(struct db *tx, const char *kind, const char *device_id, const char *body,
                          int64_t now, struct err *err);
MUST_CHECK bool job_add(struct db *tx, const char *kind, const char *subject, int64_t due_at,
                        struct err *err);
/* {"a":"b",...} out of pairs ended by NULL. Belongs to owner. */
char *json_pairs(void *owner, ...) __attribute__((sentinel));
