/* SPDX-License-Identifier: Apache-2.0 */
/* Push: the connector's certificate. Whom to wake: fleet/wake.h. */
#pragma once

#include "fleet/fleet.h"

struct push_certificate_view {
    char *state; /* "none", "requested", "active", "paused", "expired" */
    char *topic;
    char *account; /* the Apple account that has to renew it; NULL: not told */
    int64_t paused_at;
    char *pause_reason; /* for people */
    int64_t not_after;
    int64_t unreachable;  /* devices enrolled under another topic: no push until they enrol again */
    struct bytes request; /* PKCS#10, DER */
};
/* Key and request are made in keyd. `account`: the Apple account that will renew the certificate;
 * NULL: that of the active one. Permission apple.write. */
MUST_CHECK bool fleet_push_request(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const char *account, struct bytes *request, struct err *err);
/* ERR_BAD_INPUT unless it is a certificate for the requested key with a com.apple.mgmt topic and
 * not expired; ERR_CONFLICT when the topic differs while devices are enrolled under another (those
 * that enrolled before any certificate do not count: they have the placeholder). Devices that the
 * push service refused with the last one are tried again. */
MUST_CHECK bool fleet_push_import(struct fleet *fleet, const struct actor *actor,
                                  struct bytes certificate_der, struct err *err);
MUST_CHECK bool fleet_push_get(struct fleet *fleet, const struct actor *actor, void *owner,
                               struct push_certificate_view *out, struct err *err);

struct push_credentials {
    char *topic;
    char *certificate_pem;
    char *key_pem;    /* wipe after use */
    int64_t revision; /* as below */
};
/* ERR_PRECONDITION when none is active. The topic that new profiles carry comes from here too. */
MUST_CHECK bool fleet_push_credentials(struct fleet *fleet, void *owner,
                                       struct push_credentials *out, struct err *err);
/* The topic alone; a fixed placeholder ("com.apple.mgmt.External.<organisation id>") before a
 * certificate is active. */
MUST_CHECK bool fleet_push_topic(struct fleet *fleet, void *owner, char **topic, struct err *err);

/* Is it the topic of a profile of ours: the active one, or the placeholder? */
MUST_CHECK bool fleet_push_topic_known(struct fleet *fleet, const char *topic, bool *known,
                                       struct err *err);

/* ---- does it work? ---- */
struct push_state {
    bool is_active; /* false: the rest is empty */
    char *id, *topic;
    int64_t not_after;
    int64_t paused_at; /* 0: it is not */
    int64_t revision;  /* changes with the certificate: connections are made anew */
};
MUST_CHECK bool fleet_push_state(struct fleet *fleet, void *owner, struct push_state *out,
                                 struct err *err);
/* The push service does not take this certificate (its id): nothing is pushed, the queue is kept.
 * The reason is for people. Event push.paused, once. */
MUST_CHECK bool fleet_push_pause(struct fleet *fleet, const char *id, const char *reason,
                                 int64_t now, struct err *err);
/* It takes it again. Event push.resumed, once. */
MUST_CHECK bool fleet_push_resume(struct fleet *fleet, const char *id, int64_t now,
                                  struct err *err);
/* Events before the active certificate ends, one at each of 60, 30, 14, 7 and 1 days; a pause and
 * its event when it has ended. */
MUST_CHECK bool fleet_push_warn(struct fleet *fleet, int64_t now, struct err *err);
