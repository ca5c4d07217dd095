/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misbehaviour scripts: what a broken or hostile device sends, and what the server answered, as
 * {"script", "message", "status"} in report's "misbehaviour".  Status 0: no answer came.
 */
#pragma once

#include "sim/session.h"

/* "result-twice,wrong-udid=ABC,…", each in turn. */
MUST_CHECK bool misbehave_run(struct phone *phone, const char *list, json_t *report,
                              struct err *err);
char *misbehave_names(void *owner); /* for help */
