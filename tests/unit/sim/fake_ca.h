/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority that answers SCEP messages, so that the simulator can be tested before
 * and without a server.  It trusts nobody's names: whoever knows the challenge gets a certificate.
 */
#pragma once

#include "sim/scep_message.h"

struct fake_ca {
    EVP_PKEY *key; /* also deciphers and signs: no RA */
    X509 *certificate;
    const char *challenge;
    /* ways to be wrong, for tests of the client */
    bool wrong_nonce, wrong_transaction, stranger_signs, pending;
};

/* A self-signed authority. The caller frees key and certificate. */
void fake_ca_make(struct fake_ca *ca);
/* The CertRep for a PKIOperation's message; NULL data when the message cannot be read at all. */
struct bytes fake_ca_answer(void *owner, const struct fake_ca *ca, struct bytes message);
