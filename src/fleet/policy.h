/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: made, changed by revision, assigned; every change is weighed for the devices concerned.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/policy.h"

/* wish: name, kind, description, settings (JSON object as text). ERR_BAD_INPUT with the pointer of
 * the offending setting. Permission policy.write. */
MUST_CHECK bool fleet_policy_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const struct policy *wish, struct policy *out, struct err *err);
/* A new revision. wish->revision is the one that the caller saw: ERR_PRECONDITION when it is not
 * the newest any more; 0 = whatever. NULL members keep what was. */
MUST_CHECK bool fleet_policy_update(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const char *id, const struct policy *wish, struct policy *out,
                                    struct err *err);
/* Its assignments end with it; devices lose what it set. */
MUST_CHECK bool fleet_policy_delete(struct fleet *fleet, const struct actor *actor, const char *id,
                                    int64_t revision, struct err *err);
/* id or exact name (folded). ERR_CONFLICT when a name fits two. Permission policy.read. */
MUST_CHECK bool fleet_policy_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                 const char *id, struct policy *out, struct err *err);
MUST_CHECK bool fleet_policy_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const struct page *page, struct list *out, struct err *err);
MUST_CHECK bool fleet_policy_revisions(struct fleet *fleet, const struct actor *actor, void *owner,
                                       const char *id, struct list *out, struct err *err);

/* wish: target, device_id, band (0 = default). Repeating an assignment is ERR_CONFLICT. */
MUST_CHECK bool fleet_assignment_create(struct fleet *fleet, const struct actor *actor, void *owner,
                                        const char *policy_id, const struct assignment *wish,
                                        struct assignment *out, struct err *err);
MUST_CHECK bool fleet_assignment_delete(struct fleet *fleet, const struct actor *actor,
                                        const char *policy_id, const char *id, struct err *err);
MUST_CHECK bool fleet_assignment_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *policy_id, struct list *out, struct err *err);

/* The job "resolve": subject "all" or "device:<id>". Devices one by one, in short transactions. */
MUST_CHECK bool fleet_resolve(struct fleet *fleet, const char *subject, int64_t now,
                              struct err *err);
/* The job "evaluate": devices whose verdict may change with time alone, at most `limit`. */
MUST_CHECK bool fleet_evaluate_due(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                                   struct err *err);
