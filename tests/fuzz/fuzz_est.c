/* SPDX-License-Identifier: Apache-2.0 */
/* EST: the body of an enrolment and the header of its sign-in. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "pki/est.h"

FUZZ_HARNESS(owner, in)
{
    struct certificate_request request;
    const char *password;
    struct err err;
    if (est_request_parse(owner, in, &request, &err))
        FUZZ_HOLDS(request.spki.size > 0 && request.der.size <= REQUEST_SIZE_MAX);
    else
        FUZZ_HOLDS(err.kind == ERR_BAD_INPUT || err.kind == ERR_TOO_LARGE ||
                   err.kind == ERR_FORBIDDEN);
    const char *header = mem_text_part(owner, (const char *)in.data, in.size);
    if (est_password_parse(owner, header, &password, &err))
        FUZZ_HOLDS(*password && strlen(password) < strlen(header));
}
