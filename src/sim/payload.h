/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which payloads a simulated iPhone accepts, and which keys in them: a table for each payload type
 * whose keys we know; unknown keys, wrong types, missing keys and values out of range are refused.
 */
#pragma once

#include "codec/plist.h"

#define PAYLOAD_MDM "com.apple.mdm"
#define PAYLOAD_SCEP "com.apple.security.scep"
#define PAYLOAD_PASSCODE "com.apple.mobiledevice.passwordpolicy"
#define PAYLOAD_ROOT "com.apple.security.root"
#define PAYLOAD_PKCS1 "com.apple.security.pkcs1"
#define PAYLOAD_PEM "com.apple.security.pem"

struct key_rule {
    const char *key;
    enum plist_type type;
    bool required;
    int64_t lowest, highest; /* integers; unlimited when equal */
};

/* One payload of PayloadContent. err->where names the key path. */
MUST_CHECK bool payload_check(const struct plist *payload, struct err *err);
/* Do all payloads of this profile belong to the channel that it came by? */
MUST_CHECK bool payloads_channel_check(const struct plist *profile, bool is_person,
                                       struct err *err);
/* The top level of a profile, without looking into its payloads. */
MUST_CHECK bool profile_top_check(const struct plist *profile, struct err *err);
