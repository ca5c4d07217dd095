/* SPDX-License-Identifier: Apache-2.0 */
/* What the edge says in headers: no value is read beyond its end or as more than one certificate,
 * and what one spelling carries the other one carries too. */
#include "tests/fuzz/fuzz.h"

#include "codec/base64.h"
#include "codec/uri.h"
#include "http/edge_headers.h"

static void certificate(void *owner, struct bytes der)
{
    struct bytes back;
    struct err err;
    FUZZ_HOLDS(der.size > 0 && der.size <= EDGE_CERTIFICATE_SIZE);
    char *field = mem_format(owner, ":%s:", base64_encode(owner, der));
    FUZZ_WORKS(edge_certificate_field(owner, field, &back, &err), err);
    FUZZ_HOLDS(bytes_equal(der, back));
    char *escaped = uri_encode(owner, pem_encode(owner, "CERTIFICATE", der));
    FUZZ_WORKS(edge_certificate_escaped(owner, escaped, &back, &err), err);
    FUZZ_HOLDS(bytes_equal(der, back));
}

FUZZ_HARNESS(owner, in)
{
    struct bytes der;
    struct err err;
    char *value = bytes_to_text(owner, in);
    if (!value)
        return;
    if (edge_certificate_escaped(owner, value, &der, &err))
        certificate(owner, der);
    if (edge_certificate_field(owner, value, &der, &err))
        certificate(owner, der);
    if (edge_id_valid(value))
        FUZZ_HOLDS(in.size <= 64);
    if (edge_address_valid(value))
        FUZZ_HOLDS(in.size <= 64);
}
