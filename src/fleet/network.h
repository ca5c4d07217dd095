/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for what is no device of ours: switches, printers, servers, scripts.  A person makes
 * a one-time challenge for one subject; whoever has it asks by SCEP.  With an approval the
 * first request waits until a person has decided.
 */
#pragma once

#include "fleet/fleet.h"

struct network_challenge {
    char *id; /* of the request, for the trace and the decision */
    char *challenge;
    char *subject;           /* "CN=switch 7", "CN=switch 7, O=Example" */
    char *alternative_names; /* "dns:a.example, ip:192.0.2.1"; NULL: none */
    bool needs_approval;
    int64_t expires_at;
};
/* wish: subject, alternative_names, needs_approval, expires_at (0: a day; at most 90 days).
 * Permission certificate.challenge. The challenge is shown this once. ERR_BAD_INPUT,
 * ERR_UNAVAILABLE. */
MUST_CHECK bool fleet_network_challenge_make(struct fleet *fleet, const struct actor *actor,
                                             void *owner, const struct network_challenge *wish,
                                             struct network_challenge *out, struct err *err);
/* A request that waits: its certificate is issued when it is asked for again. Permission
 * certificate.approve. ERR_NOT_FOUND; ERR_CONFLICT: it does not wait, or has ended. */
MUST_CHECK bool fleet_request_approve(struct fleet *fleet, const struct actor *actor,
                                      const char *id, struct err *err);
/* Also withdraws a challenge that was not used. The same permission and errors. */
MUST_CHECK bool fleet_request_deny(struct fleet *fleet, const struct actor *actor, const char *id,
                                   struct err *err);
