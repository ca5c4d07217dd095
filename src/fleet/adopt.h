/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that we issued and do not remember: the database is older than they are. */
#pragma once

#include "fleet/fleet.h"
#include "pki/certificate.h"

/*
 * A device of an active enrolment shows a certificate that an older database does not know: it
 * renewed after the backup. It is written down as issued when it names the enrolment, is newer than
 * all that is known of it, and neither its serial number nor its key is anybody else's; the device
 * is renewed once more, so that it tells its push address. The caller has checked the signature of
 * the issuing authority. *adopted false: it is a stranger. Audit certificate.adopt, event
 * identity.adopted.
 */
MUST_CHECK bool fleet_certificate_adopt(struct fleet *fleet, const struct actor *actor,
                                        const struct certificate *certificate, bool *adopted,
                                        struct err *err);
/* Was it issued for something that is no device (fleet/network.h)? Then no enrolment has it. */
MUST_CHECK bool fleet_certificate_is_network(struct fleet *fleet, struct bytes der, bool *out,
                                             struct err *err);
