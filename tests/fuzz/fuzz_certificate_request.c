/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate requests and the comparison with what was expected; certificates beside them. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "pki/certificate.h"
#include "pki/expectation.h"

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
    struct expectation same = {.subject = request.subject,
                               .alternatives = request.alternatives,
                               .key_usage = request.key_usage,
                               .purposes = request.purposes,
                               .key = request.key.kind},
                       nothing = {.key = KEY_RSA};
    FUZZ_HOLDS(expectation_compare(owner, &same, &request).count == 0);
    struct differences differences = expectation_compare(owner, &nothing, &request);
    for (size_t i = 0; i < differences.count; i++)
        FUZZ_HOLDS(text_is_utf8(bytes_text(differences.items[i].asked)));
}
