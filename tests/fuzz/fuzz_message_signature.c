/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of messages, as the DER that their base64 stands for. */
#include "tests/fuzz/fuzz.h"

#include "codec/base64.h"
#include "pki/message_signature.h"

FUZZ_HARNESS(owner, in)
{
    struct bytes certificate = {0};
    struct err err;
    if (message_signature_check(owner, base64_encode(owner, in), bytes_text("Idle"), &certificate,
                                &err))
        FUZZ_HOLDS(certificate.size > 0);
    else
        FUZZ_HOLDS(!certificate.data && err.kind != ERR_INTERNAL);
}
