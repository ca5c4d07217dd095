/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attestation: what the hardware of a device says of it, weighed against what was asked and what
 * the device says of itself.
 */
#pragma once

#include "fleet/act.h"
#include "policy/integrity.h"

struct attestation; /* pki/attestation.h */

#define ATTESTATION_NONCE_SIZE 32 /* bytes; Apple takes no more */
/* Devices make a new attestation once in seven days and give the same one in between (Apple,
 * DeviceInformation): what was asked so long ago may be answered. */
#define ATTESTATION_NONCE_SECONDS (7 * 24 * 3600 + 3600)

/* Why a device cannot attest at all; NULL: it may be asked. */
const char *fleet_attestation_refuses(int platform, const char *os_version);
/* What this command asks to be put into the attestation: the same for a day, then another one.
 * Durable before it returns. */
MUST_CHECK bool fleet_attestation_nonce(struct fleet *fleet, const struct actor *actor, void *owner,
                                        const struct identity *identity, const char *command_id,
                                        struct bytes *out, struct err *err);
/* How far a device can be believed. Permission device.read. */
MUST_CHECK bool fleet_integrity_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const char *device_id, struct integrity *out, struct err *err);

/* ---- what a device's answer holds ---- */
struct attestation_answer {
    const struct attestation *proof; /* verified up to the root; NULL: it is none */
    const char *problem;             /* then why */
};

/* ---- inside fleet ---- */
/* ERR_PRECONDITION: no root is configured, so that nothing could be verified. */
MUST_CHECK bool attestation_wanted(const struct fleet *fleet, struct err *err);
struct attest_wish {
    struct fleet *fleet;
    const char *enrolment_id, *device_id;
    int64_t now;
};
/* Ask the device, if a root is configured and it can attest. */
MUST_CHECK bool attestation_ask(struct db *tx, const struct attest_wish *wish, struct err *err);
struct attesting {
    void *owner;
    const struct identity *identity;
    const struct command_result *result;
    int64_t now;
};
/* The verdict as facts behind those of the answer, and an event when it is another one. No answer
 * leaves an earlier verdict to its age. */
MUST_CHECK bool attestation_weigh(struct db *tx, const struct attesting *attesting,
                                  const struct fact **facts, size_t *count, struct err *err);
