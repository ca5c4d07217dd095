/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Issuing a device certificate against a one-time challenge.  The certificate is built from the
 * expectation that was written down with the challenge; the request gives only the public key,
 * and everything else that it asks for must agree.
 */
#pragma once

#include "fleet/fleet.h"

struct asked_attribute { /* one thing that a request asks for, as text */
    const char *name;    /* "subject.CN", "san.uri", "key.type", "key.bits", "key.usage", "eku" */
    const char *value;   /* several values of one name: several entries */
};

struct certificate_asked {
    const char *challenge; /* the bearer secret in the request */
    struct bytes signer;   /* certificate of ours that signed it, DER: a renewal, and the challenge
                            * does not count; data NULL: there is none */
    const char *transaction_id; /* of the protocol: with the key it names a repeat */
    struct bytes spki;          /* SubjectPublicKeyInfo, DER; its possession is proved */
    struct bytes request;       /* PKCS#10, DER: its digest is kept */
    const struct asked_attribute *attributes;
    size_t attribute_count;
    const char *objection; /* why the protocol cannot serve it; NULL: it can */
    bool is_poll; /* no request: what this key asked for in this transaction, after a decision; the
                   * attributes name the subject */
};

struct issued {
    bool is_refused; /* the peer hears no more than that; the trace says why */
    bool is_unknown; /* refused, too: the challenge is none that was ever made */
    bool is_pending; /* somebody has to decide: it may ask again */
    struct bytes der;
};

#define CHALLENGE_TRIES 3                /* differing requests before a challenge is burnt */
#define APPROVAL_SECONDS (7 * 24 * 3600) /* in which a request that waits can be decided */
#define CHALLENGE_REPEAT_SECONDS 600     /* in which a lost answer can be asked for again */

/*
 * True with out->is_refused for everything that the peer did wrong (unknown, expired, used or
 * burnt challenge; an attribute that differs; a key certified for somebody else; an objection of
 * the caller's): recorded as
 * steps and events. The challenge is consumed in the transaction that reserves the certificate.
 * A signer of ours must be a certificate that stands in the database byte for byte, good, in the
 * last part of its life, its enrolment active; what was expected of it is expected again.
 * The same key and transaction again within CHALLENGE_REPEAT_SECONDS gets the same certificate.
 */
MUST_CHECK bool fleet_issue(struct fleet *fleet, const struct actor *actor, void *owner,
                            const struct certificate_asked *asked, struct issued *out,
                            struct err *err);
