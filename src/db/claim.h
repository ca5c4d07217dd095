/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One server works on a database at a time (docs/decisions/0013).  A claim says that it is this
 * one: a lock of the database's own that ends with its holder, however that ends.  While a claim
 * that was held is lost, nothing of this process reaches the database.
 */
#pragma once

#include "db/db.h"

struct claim;

/* One attempt. ERR_CONFLICT, with who it is, when another server has it. The claim belongs to
 * owner and ends with it; the database must outlive it. */
MUST_CHECK bool database_claim(void *owner, struct database *database, struct claim **out,
                               struct err *err);
/* Is it still ours? Asks nobody and does not wait. False: it is lost, and so it stays, and every
 * statement and transaction of the database is ERR_UNAVAILABLE until database_claim_again() works.
 * What was kept in memory of the database must be forgotten before that. */
MUST_CHECK bool database_claim_holds(struct claim *claim, struct err *err);
/* One attempt to get a lost claim back; errors as database_claim(). */
MUST_CHECK bool database_claim_again(struct claim *claim, struct err *err);
/* Becomes readable when there is a reason to look; -1: none. Do not read from it. */
int database_claim_socket(const struct claim *claim);
