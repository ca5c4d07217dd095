/* SPDX-License-Identifier: Apache-2.0 */
/* The encrypted layer of a SCEP message, opened with a key of zeros. */
#include "tests/fuzz/fuzz.h"

#include "pki/scep_layers.h"

FUZZ_HARNESS(owner, in)
{
    static const uint8_t zeros[32];
    struct scep_envelope envelope;
    struct bytes plain;
    struct err err;
    if (!scep_envelope_parse(owner, in, true, &envelope, &err))
        return;
    FUZZ_HOLDS(envelope.recipient_count >= 1 && envelope.recipient_count <= SCEP_RECIPIENTS_MAX);
    struct bytes key = {zeros, scep_cipher_key_size(envelope.cipher)};
    if (scep_envelope_open(owner, &envelope, key, &plain, &err))
        FUZZ_HOLDS(plain.size < envelope.ciphertext.size);
}
