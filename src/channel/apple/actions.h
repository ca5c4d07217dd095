/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions: neutral commands as Apple's request dictionaries.  A command that this device cannot
 * carry, or whose parameters do not fit, is refused before it is sent.
 */
#pragma once

#include "channel/channel.h"
#include "codec/plist.h"

/* Parameters of commands (a JSON object; unknown names are refused, those that a command or a
 * platform has no use for are left out): message and phone are shown on a locked or lost device
 * (footnote on a lost one), pin are the six digits that open a Mac again after lock and wipe
 * (required there), name is what the device is to be called. */
struct action {
    struct fleet *fleet;
    const struct actor *actor;
    const struct identity *identity;
    const struct command *command;
};
/* The body of the answer; belongs to owner. ERR_UNAVAILABLE: try again later; any other kind: this
 * device cannot be given this command, with the reason and the remedy in err. */
MUST_CHECK bool apple_action_render(void *owner, const struct action *action, struct bytes *out,
                                    struct err *err);
/* As struct channel wants it. */
const char *apple_refuses(enum command_kind kind, const struct device *device,
                          const char *parameters);
/* The kinds that a device answers whatever its state (a set for fleet_command_fetch). */
unsigned apple_prompt_kinds(void);
