/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate in which hardware attests what it is, without its signature. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "codec/base64.h"
#include "pki/attestation.h"

FUZZ_HARNESS(owner, in)
{
    struct attestation read, again;
    struct err err;
    const char *anchors = pem_encode(owner, "CERTIFICATE", in);
    const struct bytes chain[] = {in, in};
    if (!attestation_read(owner, in, &read, &err))
        return;
    FUZZ_HOLDS(!read.serial || strlen(read.serial) <= ATTESTATION_TEXT_LONGEST);
    FUZZ_HOLDS(read.freshness.size <= ATTESTATION_FRESHNESS_LONGEST);
    FUZZ_HOLDS(read.made_at >= 0 && read.expires_at >= 0);
    /* what signs itself proves nothing: no leaf is its own anchor */
    FUZZ_HOLDS(!attestation_open(owner, chain, 2, bytes_text(anchors), read.made_at, &again, &err));
    FUZZ_HOLDS(!attestation_open(owner, chain, 1, bytes_text(anchors), read.made_at, &again, &err));
}
