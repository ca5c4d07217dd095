/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visits: a person signs in where devices are enrolled, and is led from step to step.  What is done
 * is known from the database alone, so a step may be repeated and none can be left out.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/device.h"
#include "model/terms.h"
#include "model/user.h"

#define VISIT_SECONDS (15 * 60)     /* from the sign-in to the profile */
#define VISIT_LINK_SECONDS (5 * 60) /* life of what a visit ends with */

struct visit_wish {
    const char *name, *password; /* name: or mail address, or Apple account */
    const char *peer;            /* address: wrong attempts are counted for it */
    const char *way;             /* of the door: a visit is good at its own alone */
};
/* *secret is the bearer of the visit, stored as HMAC. ERR_UNAUTHENTICATED for every wrong
 * combination alike; ERR_TOO_MANY after too many wrong ones (attempt.h); ERR_UNAVAILABLE. */
MUST_CHECK bool fleet_visit_begin(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const struct visit_wish *wish, char **secret, struct err *err);

enum visit_step { VISIT_PASSWORD, VISIT_TERMS, VISIT_OWNERSHIP, VISIT_READY };
struct visit {
    char *id, *user_id, *way;
    char *ownership; /* as chosen; NULL: not yet */
    int64_t created_at, expires_at;
    enum visit_step step; /* what is to be done next */
    struct user user;
    struct terms terms; /* of VISIT_TERMS */
};
/* ERR_UNAUTHENTICATED: no such visit, it has ended, or its person was disabled. */
MUST_CHECK bool fleet_visit_find(struct fleet *fleet, void *owner, const struct visit_wish *wish,
                                 const char *secret, int64_t now, struct visit *out,
                                 struct err *err);
struct actor fleet_visit_actor(const struct visit *visit, const char *request_id, int64_t now);
/* What proves that a form was made for this secret: hexadecimal. Belongs to owner. */
MUST_CHECK bool fleet_visit_form(struct fleet *fleet, void *owner, const char *secret, char **out,
                                 struct err *err);

/* The steps. ERR_BAD_INPUT: the password does not do; ERR_CONFLICT: something changed meanwhile. */
MUST_CHECK bool fleet_visit_password(struct fleet *fleet, const struct actor *actor,
                                     const struct visit *visit, const char *password,
                                     struct err *err);
MUST_CHECK bool fleet_visit_accept(struct fleet *fleet, const struct actor *actor,
                                   const struct visit *visit, int64_t version, struct err *err);
MUST_CHECK bool fleet_visit_own(struct fleet *fleet, const struct actor *actor,
                                const struct visit *visit, enum ownership ownership,
                                struct err *err);
/* Ends a visit that is VISIT_READY: *token is the secret of a link of this mode for this person,
 * usable once and for a few minutes. ERR_PRECONDITION: a step is missing. */
MUST_CHECK bool fleet_visit_end(struct fleet *fleet, const struct actor *actor, void *owner,
                                const struct visit *visit, enum enrolment_mode mode, char **token,
                                struct err *err);
