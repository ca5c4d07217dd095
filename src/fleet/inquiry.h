/* SPDX-License-Identifier: Apache-2.0 */
/* What holders of our certificates may ask the authority about: their own ones, and the list. */
#pragma once

#include "fleet/fleet.h"

enum inquiry_outcome {
    INQUIRY_ANSWERED,
    INQUIRY_STRANGER, /* the signer is no certificate of ours that is good now */
    INQUIRY_FOREIGN,  /* there is none, or it is somebody else's: the asker hears no difference */
};
struct inquiry {
    enum inquiry_outcome outcome;
    const char *why; /* for the log; NULL: answered */
    struct bytes der;
};
/* A certificate by serial number (lower-case hexadecimal), given only to who holds it: `signer`
 * (DER) must stand in the database byte for byte and be good, and both be of one enrolment. */
MUST_CHECK bool fleet_inquire_certificate(struct fleet *fleet, void *owner, struct bytes signer,
                                          const char *serial, int64_t now, struct inquiry *out,
                                          struct err *err);
/* The newest revocation list of an authority, for the same askers. */
MUST_CHECK bool fleet_inquire_list(struct fleet *fleet, void *owner, struct bytes signer,
                                   int64_t authority, int64_t now, struct inquiry *out,
                                   struct err *err);
