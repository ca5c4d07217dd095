/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One management session: an unanswered result first, else Idle, then commands until the server
 * has none.  A result that the server did not take (no answer, or none of 2xx) is kept and sent
 * again before anything else; the answer to EraseDevice is sent at most once.
 */
#pragma once

#include "sim/command.h"

struct session_options {
    bool never_now;     /* NotNow to everything */
    bool results_twice; /* every result is sent again after its answer */
};

/* report (may be NULL) gets "commands", "messages" and "repeated". */
MUST_CHECK bool session_run(struct phone *phone, const struct session_options *options,
                            json_t *report, struct err *err);
