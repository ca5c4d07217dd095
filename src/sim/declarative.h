/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarative management on the wire: a phone fetches what changed of its declarations and reports
 * what changed of its status.  Strict: an answer that does not fit the schema is an error.
 */
#pragma once

#include "sim/phone.h"

/* The server's command: from now on this phone manages itself. tokens: the command's Data or NULL.
 */
void declarative_begin(struct phone *phone, struct bytes tokens);
/* Fetch if that is due, then report what is new. A phone that was never asked does nothing. report
 * (may be NULL) gets "messages" and "status_reports". */
MUST_CHECK bool declarative_settle(struct phone *phone, json_t *report, struct err *err);
