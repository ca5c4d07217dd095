/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: finding a link by its secret. */
#pragma once

#include "fleet/enrol.h"

struct db;

MUST_CHECK bool link_mac(struct fleet *fleet, const char *token, uint8_t mac[32], struct err *err);
/* A new secret; belongs to owner. */
char *link_secret(void *owner);
MUST_CHECK bool link_insert(struct db *tx, const struct enrolment_link *link, const uint8_t mac[32],
                            struct err *err);
struct link_shown {
    const char *token;
    enum enrolment_mode mode; /* of the door: links of the other do not exist there */
    int64_t now;
};
/* ERR_NOT_FOUND unless it can be used at `now`. */
MUST_CHECK bool link_find(struct fleet *fleet, void *owner, const struct link_shown *shown,
                          struct enrolment_link *out, struct err *err);
/* Notes who tried to use a link of ours that cannot be used any more. One that never was is a
 * guess: of these nothing is kept. */
void link_note_refusal(struct fleet *fleet, const struct actor *actor,
                       const struct link_shown *shown);
