/* SPDX-License-Identifier: Apache-2.0 */
/* Push: the connector's certificate, and whom to wake. */
#pragma once

#include "fleet/fleet.h"

struct push_certificate_view {
    char *state; /* "none", "requested", "active" */
    char *topic;
    int64_t not_after;
    int64_t unreachable;  /* devices enrolled under another topic: no push until they enrol again */
    struct bytes request; /* PKCS#10, DER */
};
/* Key and request are made in keyd. Permission connector.write. */
MUST_CHECK bool fleet_push_request(struct fleet *fleet, const struct actor *actor, void *owner,
                                   const char *email, struct bytes *request, struct err *err);
/* ERR_BAD_INPUT unless it is a certificate for the requested key with a com.apple.mgmt topic and
 * not expired; ERR_CONFLICT when the topic differs while devices are enrolled under another (those
 * that enrolled before any certificate do not count: they have the placeholder). */
MUST_CHECK bool fleet_push_import(struct fleet *fleet, const struct actor *actor,
                                  struct bytes certificate_der, struct err *err);
MUST_CHECK bool fleet_push_get(struct fleet *fleet, const struct actor *actor, void *owner,
                               struct push_certificate_view *out, struct err *err);

struct push_credentials {
    char *topic;
    char *certificate_pem;
    char *key_pem;    /* wipe after use */
    int64_t revision; /* changes with the certificate: connections are made anew */
};
/* ERR_PRECONDITION when none is active. The topic that new profiles carry comes from here too. */
MUST_CHECK bool fleet_push_credentials(struct fleet *fleet, void *owner,
                                       struct push_credentials *out, struct err *err);
/* The revision alone, without opening the key. ERR_PRECONDITION as above. */
MUST_CHECK bool fleet_push_revision(struct fleet *fleet, void *owner, int64_t *revision,
                                    struct err *err);
/* The topic alone; a fixed placeholder ("com.apple.mgmt.External.<organisation id>") before a
 * certificate is active. */
MUST_CHECK bool fleet_push_topic(struct fleet *fleet, void *owner, char **topic, struct err *err);

/* Is it the topic of a profile of ours: the active one, or the placeholder? */
MUST_CHECK bool fleet_push_topic_known(struct fleet *fleet, const char *topic, bool *known,
                                       struct err *err);

struct push_target {
    char *enrolment_id;
    char *topic;
    struct bytes token, magic; /* opened */
    /* the address before, while the device was not heard of since it told the newer one: push to
     * both; data NULL where there is none */
    struct bytes token_before, magic_before;
};
/* ERR_NOT_FOUND when the enrolment cannot be woken (ended, no address, address dead) or has nothing
 * to fetch. */
MUST_CHECK bool fleet_push_target(struct fleet *fleet, void *owner, const char *enrolment_id,
                                  struct push_target *out, struct err *err);
/* The push service took it: queued commands of the enrolment become sent. */
MUST_CHECK bool fleet_push_sent(struct fleet *fleet, const char *enrolment_id, int64_t now,
                                struct err *err);
/* 410: dead since `since` unless a newer address came. The address before is taken again, and the
 * device woken by it, where there is one. */
MUST_CHECK bool fleet_push_dead(struct fleet *fleet, const char *enrolment_id, int64_t since,
                                int64_t now, struct err *err);
/* 410 for the address before. */
MUST_CHECK bool fleet_push_before_dead(struct fleet *fleet, const char *enrolment_id,
                                       struct err *err);
