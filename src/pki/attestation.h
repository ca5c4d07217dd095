/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hardware attests of its device (Apple: DeviceInformation, DevicePropertiesAttestation): a
 * chain of certificates to the maker's root, and properties as extensions of its leaf.
 */
#pragma once

#include "base/bytes.h"

#define ATTESTATION_CERTIFICATES_MAX 4
#define ATTESTATION_TEXT_LONGEST 128     /* bytes of a property */
#define ATTESTATION_FRESHNESS_LONGEST 64 /* bytes */
#define ATTESTATION_UNTOLD -1

/* A text is NULL where the maker left it out or could not verify it. All belongs to the owner. */
struct attestation {
    char *serial, *udid;
    char *os_version, *enclave_version, *loader_version;
    char *update_device; /* the model, as the maker's update service names it */
    char *secure_boot;   /* of a Mac: "Full Security", "Reduced Security", "Permissive Security" */
    struct bytes freshness;      /* what was asked to be put in; size 0: nothing */
    int64_t protection_off;      /* of a Mac: 0: System Integrity Protection is on; or UNTOLD */
    int64_t kernel_extensions;   /* of a Mac: 0: none of third parties; or UNTOLD */
    int64_t made_at, expires_at; /* validity of the leaf */
    char *sha256;                /* of the leaf, lower-case hexadecimal */
};

/*
 * Verify and read. The chain is DER, the leaf first; the anchors are PEM.  ERR_BAD_INPUT and
 * ERR_TOO_LARGE: it is none; ERR_FORBIDDEN: it does not lead to an anchor, see ec_chain_check();
 * ERR_PRECONDITION: the anchors are none.
 */
MUST_CHECK bool attestation_open(void *owner, const struct bytes *chain, size_t count,
                                 struct bytes anchors_pem, int64_t now, struct attestation *out,
                                 struct err *err);
/* The properties of one leaf, nothing verified. */
MUST_CHECK bool attestation_read(void *owner, struct bytes leaf, struct attestation *out,
                                 struct err *err);
/* How many certificates the anchors hold. ERR_PRECONDITION as above. */
MUST_CHECK bool attestation_anchors_check(struct bytes anchors_pem, size_t *count, struct err *err);
