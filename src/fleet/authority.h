/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generations of the authority: what the database remembers of them, what a change of theirs
 * brings to the devices, and how far that has come.  Keys change while nothing runs (decision
 * 0022); what changed is found at the next start.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/authority.h"

#define TRUST_ITEM "authorities" /* what brings the roots to devices: see struct effective */

/* The authorities in keyd are those that this database belongs to; a new database takes them, and a
 * new next one is taken. After fleet_first_start(). ERR_PRECONDITION: they are other ones, or
 * older than what the database has seen. What has changed since is planned: devices get the roots,
 * and new identities from the current authority. */
MUST_CHECK bool fleet_authority_check(struct fleet *fleet, int64_t now, struct err *err);
/* The one that issues, as of that check. Asks memory. */
int64_t fleet_authority_number(const struct fleet *fleet);
/* The one that certifies the servers and signs the profiles of devices that come. */
int64_t fleet_authority_signer(const struct fleet *fleet);
/* struct authority_record, in the order of their numbers. Permission certificate.read. */
MUST_CHECK bool fleet_authority_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                     struct list *out, struct err *err);
/* ---- what stands against the next step of a rollover; without keyd ---- */
/* Certificates of an authority that are good or held. */
MUST_CHECK bool fleet_authority_living(struct fleet *fleet, int64_t number, int64_t now,
                                       int64_t *count, struct err *err);
/* Devices that have not confirmed all the roots that there are. */
MUST_CHECK bool fleet_authority_untrusting(struct fleet *fleet, int64_t *count, struct err *err);
