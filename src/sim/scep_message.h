/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP messages (RFC 8894) from the client's side: the certificate request, the signed and
 * enveloped pkiMessage around it, and the CertRep that comes back.  Pure: no network.
 */
#pragma once

#include "sim/openssl.h"

enum scep_misbehaviour {
    SCEP_BEHAVE,
    SCEP_WRONG_CHALLENGE,
    SCEP_OTHER_SUBJECT,
    SCEP_OTHER_SAN,
    SCEP_WEAK_KEY,
    SCEP_TWO_CHALLENGES,
    SCEP_TYPE_18,
    SCEP_REUSE_CHALLENGE,
    SCEP_DES,
};
extern const char *const SCEP_MISBEHAVIOURS[]; /* index = enum, NULL-terminated */

enum scep_type { SCEP_CERT_REP = 3, SCEP_UPDATE_REQ = 18, SCEP_PKCS_REQ = 19, SCEP_CERT_POLL = 20 };
enum scep_status { SCEP_NONE = -1, SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };

struct scep_wish { /* what the payload asks for */
    const char *challenge;
    X509_NAME *subject;          /* borrowed */
    GENERAL_NAMES *alternatives; /* borrowed; NULL: none */
    unsigned key_usage;          /* Apple's bits: 1 signing, 4 encryption */
    enum scep_misbehaviour misbehaviour;
};

/* One transaction: key, the self-signed certificate that carries it, and what must come back. */
struct scep_transaction {
    EVP_PKEY *key;
    X509 *self;
    char id[65]; /* hex */
    uint8_t nonce[16];
    bool single_des; /* envelope by DES: needs OpenSSL's legacy provider */
};

struct scep_answer {
    enum scep_status status;
    int fail_info;         /* -1: none */
    const char *fail_text; /* or NULL */
    X509 *certificate;     /* the issued one; the answer's owner frees it */
    const struct certificates *others;
};

/* A fresh transaction for this key; belongs to owner. */
MUST_CHECK bool scep_begin(void *owner, EVP_PKEY *key, const X509_NAME *subject,
                           struct scep_transaction **out, struct err *err);
/* The PKCS#10 request in DER. */
MUST_CHECK bool scep_request_make(void *owner, const struct scep_transaction *transaction,
                                  const struct scep_wish *wish, struct bytes *out, struct err *err);
/* IssuerAndSubject in DER, the content of a poll (RFC 8894 3.3.3). */
MUST_CHECK bool scep_poll_make(void *owner, const X509 *authority, const X509_NAME *subject,
                               struct bytes *out, struct err *err);
/* Content enveloped for the recipient and signed; a new nonce each time. */
MUST_CHECK bool scep_seal(void *owner, struct scep_transaction *transaction, enum scep_type type,
                          struct bytes content, X509 *recipient, struct bytes *out,
                          struct err *err);
/* Check signer (one of the authority's certificates), transaction, nonce; open the envelope. */
MUST_CHECK bool scep_open(void *owner, const struct scep_transaction *transaction,
                          const struct certificates *authority, struct bytes message,
                          struct scep_answer **out, struct err *err);
