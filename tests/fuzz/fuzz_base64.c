/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 and PEM: a strict text has one spelling, and the lenient readings agree with it. */
#include "tests/fuzz/fuzz.h"

#include "codec/base64.h"

#define LIMIT (1 << 16)

static void pem(void *owner, struct bytes in)
{
    struct bytes block, back;
    struct err err;
    if (!pem_decode(owner, in, NULL, LIMIT, &block, &err))
        return;
    char *text = pem_encode(owner, "X", block);
    FUZZ_WORKS(pem_decode(owner, bytes_text(text), "X", LIMIT, &back, &err), err);
    FUZZ_HOLDS(bytes_equal(block, back));
}

FUZZ_HARNESS(owner, in)
{
    struct bytes strict, other;
    struct err err;
    if (base64_decode(owner, in, LIMIT, &strict, &err)) {
        FUZZ_HOLDS(bytes_equal(bytes_text(base64_encode(owner, strict)), in));
        FUZZ_WORKS(base64_decode_spaced(owner, in, LIMIT, &other, &err), err);
        FUZZ_HOLDS(bytes_equal(strict, other));
        FUZZ_WORKS(base64_decode_lenient(owner, in, LIMIT, &other, &err), err);
        FUZZ_HOLDS(bytes_equal(strict, other));
    }
    if (base64url_decode(owner, in, LIMIT, &strict, &err)) {
        FUZZ_HOLDS(bytes_equal(bytes_text(base64url_encode(owner, strict)), in));
        FUZZ_WORKS(base64_decode_lenient(owner, in, LIMIT, &other, &err), err);
        FUZZ_HOLDS(bytes_equal(strict, other));
    }
    if (base64_decode_lenient(owner, in, LIMIT, &other, &err) ||
        base64_decode_spaced(owner, in, LIMIT, &other, &err))
        FUZZ_HOLDS(other.size <= in.size);
    pem(owner, in);
}
