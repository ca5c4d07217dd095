/* SPDX-License-Identifier: Apache-2.0 */
/* Management commands: what a simulated iPhone does for each RequestType, and what it answers. */
#pragma once

#include "sim/phone.h"

enum aftermath { /* what happens once the answer is on its way */
                 AFTER_NOTHING,
                 AFTER_ERASE,
                 AFTER_UNENROL,
                 AFTER_DECLARE,
};

struct command_outcome {
    const char *status; /* Acknowledged, Error, CommandFormatError, NotNow */
    int code;           /* the first of its ErrorChain; 0: none */
    enum aftermath aftermath;
};

/* Carry the command out and fill the answer's result keys or its ErrorChain. */
struct command_outcome command_carry_out(struct phone *phone, const struct plist *command,
                                         struct plist *answer);
