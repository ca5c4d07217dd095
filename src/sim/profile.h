/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration profiles as a device reads them: strict parsing, the enrolment profile's parts,
 * and what its SCEP payload asks for.  Pure.
 */
#pragma once

#include "sim/openssl.h"
#include "sim/payload.h"
#include "sim/scep.h"

struct profile {
    const char *identifier, *uuid, *name; /* name may be NULL */
    const struct plist *tree;
};

struct enrolment_profile {
    struct profile profile;
    const struct plist *mdm, *scep; /* scep: the PayloadContent dictionary */
    struct certificates *roots;     /* certificate payloads; may be empty */
};

/* Every payload known and in range; identifiers and UUIDs unique. The result belongs to owner. */
MUST_CHECK bool profile_parse(void *owner, struct bytes plist, struct profile *out,
                              struct err *err);
/* The same for an enrolment profile: certificates, one identity, one com.apple.mdm, no more. */
MUST_CHECK bool enrolment_profile_parse(void *owner, struct bytes plist,
                                        struct enrolment_profile *out, struct err *err);
/* The payload of this type, or NULL. */
const struct plist *profile_payload(const struct profile *profile, const char *type);
/* Does the com.apple.mdm payload name this among its ServerCapabilities? */
bool profile_has_capability(const struct plist *mdm, const char *name);

struct scep_asked { /* the handles belong to the owner */
    struct scep_service service;
    struct scep_wish wish;
    unsigned key_size;
};
/* The texts borrow from the tree. */
MUST_CHECK bool scep_asked_make(void *owner, const struct plist *scep, struct scep_asked **out,
                                struct err *err);
