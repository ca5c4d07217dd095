/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate requests, and certificates beside them. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "pki/certificate.h"
#include "pki/request.h"

FUZZ_HARNESS(owner, in)
{
    struct certificate_request request;
    struct certificate certificate;
    struct err err;
    if (certificate_parse(owner, in, &certificate, &err)) {
        FUZZ_HOLDS(*certificate.serial);
        (void)certificate_is_issued_by(certificate.der, certificate.der);
    }
    if (!request_parse(owner, in, &request, &err))
        return;
    FUZZ_HOLDS(*request.spki_sha256 && request.spki.size > 0);
    for (size_t i = 0; i < request.subject.count; i++)
        FUZZ_HOLDS(text_is_utf8(bytes_text(request.subject.parts[i].value)));
    for (size_t i = 0; i < request.alternatives.count; i++)
        FUZZ_HOLDS(text_is_utf8(bytes_text(request.alternatives.items[i].value)));
}
