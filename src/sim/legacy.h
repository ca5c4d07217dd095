/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles that a declaration names (com.apple.configuration.legacy): the phone fetches them with
 * its identity, installs them, and takes them away with their declaration.
 */
#pragma once

#include "sim/phone.h"

/* The phone takes this list in place of its own: what it had installed for a declaration that is
 * not in it goes, and what it has for one that is stays known. */
void legacy_take_over(struct phone *phone, struct fetched *list, size_t count);
/* Install what is in force and not there, remove what is there and not in force. What the server
 * refuses is told in the status of the declaration; false: it could not be asked. */
MUST_CHECK bool legacy_settle(struct phone *phone, json_t *report, struct err *err);
/* A declaration holds this profile: no command touches it. */
bool legacy_owns(const struct phone *phone, const char *identifier);
