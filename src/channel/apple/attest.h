/* SPDX-License-Identifier: Apache-2.0 */
/* DevicePropertiesAttestation: how it is asked for, and the chain that comes back.  Pure. */
#pragma once

#include "codec/plist.h"
#include "fleet/attest.h"
#include "pki/attestation.h"

/* The request of a DeviceInformation command: a new attestation that holds this nonce, and the
 * version at the same moment. */
void apple_attest_ask(struct plist *request, struct bytes nonce);
struct apple_attest_roots { /* data NULL: problem says why there are none */
    struct bytes pem;
    const char *problem;
};
/* False: the answer holds none, which says nothing. Else *out is filled. Belongs to owner. */
bool apple_attest_read(void *owner, const struct plist *answer,
                       const struct apple_attest_roots *roots, int64_t now,
                       struct attestation_answer *out);
/* The answer holds an attestation, whatever it is worth. */
bool apple_attest_told(const struct plist *answer);
