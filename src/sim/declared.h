/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations on a simulated phone: which of them it can make use of, which are in force, and what
 * its status is.  Pure: looks at the phone and changes nothing.
 */
#pragma once

#include "sim/phone.h"

#define DECLARED_PASSCODE "com.apple.configuration.passcode.settings"
#define DECLARED_LEGACY "com.apple.configuration.legacy" /* a profile behind a URL */
#define DECLARED_UPDATE "com.apple.configuration.softwareupdate.enforcement.specific"

/* iOS 15, macOS 13 and later, unless its user's model lacks it. */
bool declared_known(const struct phone *phone);
/* The four kinds, as the endpoint names them and as the status report does; NULL-terminated. */
extern const char *const declared_kinds[];
extern const char *const declared_groups[];

/* {"configuration/IDENTIFIER": {"identifier", "server-token", "active", "valid", "reasons"?}}. New
 * reference. */
json_t *declared_states(const struct phone *phone);
/* The payloads of active configurations of this type, an array. New reference. */
json_t *declared_active(const struct phone *phone, const char *type);
/* Where the profile is that this declaration names; NULL: it names none, or is not in force. */
char *declared_profile_url(void *owner, const struct phone *phone, const struct fetched *one);
/* The update that it is told to make and has not made: the payload; NULL: none. New reference. */
json_t *declared_update(const struct phone *phone);
/* {"passcode.is-present": true, …} of all subscribed items; errors gets those that it cannot
 * report. New reference. */
json_t *declared_values(const struct phone *phone, json_t *errors);
