/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How Apple's devices spell the catalogue: which payload and key carries a setting, and why not
 * where there is no way.  Pure.  Facts: apple/device-management, mdm/profiles.
 */
#pragma once

#include "codec/json.h"
#include "codec/plist.h"
#include "fleet/desired.h"
#include "policy/resolve.h"

/* NULL: this device can carry the setting; else why not, for people (a constant). */
const char *apple_unsupported(enum setting_id setting, const struct target_device *device);
/* Within the range of the key that carries the setting's value; an "off" value stays. */
int64_t apple_nearest(enum setting_id setting, const struct target_device *device, int64_t value);

struct apple_payload {
    const char *item;      /* "passcode": stable name of the profile that carries it alone */
    const char *title;     /* what the user of the device reads */
    const char *type;      /* PayloadType */
    struct plist *content; /* the keys of this type, without PayloadType and its like */
    bool is_of_person;     /* for the channel of each of a Mac's people, not for the device's */
};
#define APPLE_PASSCODE_ITEM "passcode"
#define APPLE_RESTRICTIONS_ITEM "restrictions"
/*
 * The payloads that carry an effective set, at most one of each type; equal values give equal
 * trees. A minimum asks for a passcode too (forcePIN) unless password.required is decided. Apple's
 * ranges cap what they must: never to something laxer, but for symbols above 4. Everything belongs
 * to owner.
 */
void apple_payloads_make(void *owner, const struct effective *effective,
                         struct apple_payload **payloads, size_t *count);

/*
 * The same values as payload of com.apple.configuration.passcode.settings; NULL: there are none. A
 * declaration with any rule asks for a passcode: *is_faithful tells whether the values do, too. New
 * reference.
 */
json_t *apple_passcode_declared(const struct effective *effective, bool *is_faithful);

/* The payload of com.apple.configuration.softwareupdate.enforcement.specific; NULL: a version and a
 * time are not both there. New reference. */
json_t *apple_update_declared(const struct effective *effective);
