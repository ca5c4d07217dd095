/* SPDX-License-Identifier: Apache-2.0 */
/* The signed layer of a SCEP message: what gets through goes on to the certificates' parser and
 * to the signature. */
#include "tests/fuzz/fuzz.h"

#include "pki/scep_layers.h"

FUZZ_HARNESS(owner, in)
{
    struct scep_signed message;
    struct scep_envelope envelope;
    struct err err;
    if (!scep_prefilter(owner, in, &message, &err))
        return;
    FUZZ_HOLDS(message.certificate_count >= 1);
    FUZZ_HOLDS(message.certificate_count <= SCEP_CERTIFICATES_MAX);
    FUZZ_HOLDS(message.transaction.size <= SCEP_TRANSACTION_MAX);
    FUZZ_HOLDS(message.sender_nonce.size <= SCEP_NONCE_MAX);
    for (size_t i = 0; i < message.certificate_count; i++) {
        struct certificate certificate;
        struct key_facts facts;
        if (!certificate_parse(owner, message.certificates[i], &certificate, &err))
            continue;
        (void)scep_identifier_matches(&message.signer, &certificate);
        if (message.is_digest_known && key_check(certificate.spki, &facts, &err))
            (void)!scep_signed_verify(&message, certificate.spki, &err);
    }
    (void)!scep_envelope_parse(owner, message.content, true, &envelope, &err);
}
