/* SPDX-License-Identifier: Apache-2.0 */
/* What an act is about: the device that a typed word means, and the question before the act. */
#pragma once

#include "cli/client.h"

struct target {
    const char *id;     /* to act by; what was typed, where it is no device */
    const char *name;   /* what a person can type for it, safe for a terminal */
    const char *serial; /* the rest is for people; NULL: not a device */
    const char *platform, *ownership, *last_contact;
};

/* Ask the server which device is meant. ERR_NOT_FOUND, ERR_CONFLICT as it says. */
MUST_CHECK bool target_find(struct cli *cli, const char *typed, struct target *out,
                            struct err *err);
/* The identifier alone. */
MUST_CHECK bool target_id(struct cli *cli, const char *typed, const char **out, struct err *err);
/* ERR_BAD_INPUT: the command asks first, and nobody can answer. */
MUST_CHECK bool target_can_ask(const struct cli *cli, struct err *err);
/* Does the person want it? True without asking for --yes or a harmless command. A device is shown,
 * and its real name asked for, whatever was typed to find it. ERR_PRECONDITION: no. */
MUST_CHECK bool target_confirm(const struct cli *cli, const struct target *target, struct err *err);
