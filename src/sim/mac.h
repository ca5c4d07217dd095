/* SPDX-License-Identifier: Apache-2.0 */
/* What a Mac does beyond a phone: it leaves its bootstrap token with the server and asks it back.
 */
#pragma once

#include "sim/phone.h"

/* A Mac whose server announced that it keeps bootstrap tokens makes one and hands it over, once per
 * enrolment; anything else does nothing. A server that refuses it is no reason not to enrol. */
MUST_CHECK bool mac_escrow(struct phone *phone, json_t *report, struct err *err);
/* A person signs in at the Mac: the server is told of a channel with this push address. */
MUST_CHECK bool mac_user_begin(struct phone *phone, const char *user, json_t *report,
                               struct err *err);
/* As when somebody signs in: the server is asked for the token. */
enum bootstrap_answer { BOOTSTRAP_NONE, BOOTSTRAP_SAME, BOOTSTRAP_OTHER };
MUST_CHECK bool mac_bootstrap_ask(struct phone *phone, json_t *report, enum bootstrap_answer *out,
                                  struct err *err);
