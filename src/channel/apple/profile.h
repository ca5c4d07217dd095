/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration profiles: the common frame, and the enrolment profile that makes a device ours.
 * Pure: signing is the caller's.
 */
#pragma once

#include "codec/plist.h"
#include "fleet/enrol.h"
#include "pki/keyd.h"

/* The identifier decides what replaces what on a device, and what a retired device removes. */
#define APPLE_ENROLMENT_IDENTIFIER "org.muster.enrolment"

/* What a device lets the organisation do: of personal ones not everything is asked. */
int64_t apple_access_rights(int ownership);

struct apple_enrolment {
    const struct enrolment_start *start;
    const struct authorities *authorities; /* whose roots are the anchors of our TLS and of the
                                              identity, which the current one issues */
    const char *topic;                     /* of the push certificate */
    const char *scep_url, *scep_name;
    const char *checkin_url, *connect_url;
    bool sign_messages; /* each with the header Mdm-Signature */
};
/* Certificates first, then the identity, then management (Apple: the order of installation). The
 * same input gives the same bytes. *out belongs to owner and holds the challenge: never log it. */
MUST_CHECK bool apple_enrolment_render(void *owner, const struct apple_enrolment *enrolment,
                                       struct bytes *out, struct err *err);

/* A stable UUID of a name. Belongs to owner. */
char *apple_uuid(void *owner, const char *name);
