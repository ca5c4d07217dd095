/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Secure Enclave and its maker's service attest of a phone: a chain of certificates, made
 * anew at most once in seven days; in between the phone gives the last one.
 */
#pragma once

#include "sim/phone.h"

/* Fill the answer to a DeviceInformation command that asks for it. A phone without an authority
 * (device.attestation) gives nothing, as one that cannot attest. False: the command is malformed.
 */
bool attestation_answer(struct phone *phone, const struct plist *command, struct plist *responses);
/* "wrong-nonce, foreign-serial, …" for help. Belongs to owner. */
char *attestation_faults(void *owner);
