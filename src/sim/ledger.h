/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: JSON lines of every message that the server answered, every command that was carried
 * out and every departure.  A test compares it with the server's database.
 */
#pragma once

#include "codec/json.h"

struct ledger;

/* Append to this file (made when absent); path NULL: keep nothing. Belongs to owner. */
MUST_CHECK bool ledger_open(void *owner, const char *path, struct ledger **out, struct err *err);
/* A message and the status of its answer; uuid NULL: not about a command. */
void ledger_message(struct ledger *ledger, const char *udid, const char *message, const char *uuid,
                    int status);
/* A command is carried out now; code: of the error, 0 for none. */
void ledger_execution(struct ledger *ledger, const char *udid, const char *uuid,
                      const char *request_type, const char *outcome, int code);
/* Nothing of management is on the device any more; why: "unenrolled" or "erased". */
void ledger_left(struct ledger *ledger, const char *udid, const char *why);
/* The last lines of a ledger file as an array. New reference. */
json_t *ledger_read(const char *path);
