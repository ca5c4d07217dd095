/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: a request for a certificate on its way, and what stands against it. Nothing is
 * written or consumed here. */
#pragma once

#include "fleet/expected.h"
#include "fleet/issue.h"
#include "fleet/reissue.h"

struct issuing {
    void *owner;
    struct fleet *fleet;
    const struct actor *actor;
    const struct certificate_asked *asked;
    const struct reissue *reissue; /* signed by a certificate of ours; NULL: by challenge */
    struct challenge challenge;
    struct expected expected;
    /* The request has the challenge in it: whoever reads the database, a backup or the API must not
     * find that. What it asked for is in the steps, its key in the certificate; the digest tells
     * whether a request that somebody shows is the one. */
    uint8_t request_sha256[32];
    uint8_t spki_sha256[32];
    uint8_t serial[16];
    char *certificate_id, *serial_text, *subject;
    char *comparison; /* JSON: expected against asked */
    int64_t not_before, not_after;
    int64_t list_part; /* whose revocation list it names; 0: the one of all */
    int64_t authority; /* number of the one that issues it */
    struct bytes der;
};

/* Its challenge, by what it brings: the secret, the signer, or the key and transaction of a poll.
 */
MUST_CHECK bool issuing_find(struct issuing *i, bool *found, struct err *err);
/* The same key and transaction again: for a while it gets the same certificate. */
bool issuing_is_repeat(const struct issuing *i);
/* The same, before somebody has decided. */
bool issuing_is_waiting(const struct issuing *i);
/* What the challenge expects: `expected` and `subject`. */
MUST_CHECK bool issuing_expect(struct issuing *i, struct err *err);
/* A poll names the subject of its request. */
MUST_CHECK bool issuing_poll_agrees(struct issuing *i, bool *agrees, struct err *err);

struct objection {
    const char *event, *reason; /* reason NULL: nothing stands against it */
    bool is_mismatch, is_expired;
};
/* The comparison is made on the way. */
MUST_CHECK bool issuing_object(struct issuing *i, struct objection *out, struct err *err);
