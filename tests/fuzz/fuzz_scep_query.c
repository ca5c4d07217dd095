/* SPDX-License-Identifier: Apache-2.0 */
/* SCEP by GET: the query, and the message in it. */
#include "tests/fuzz/fuzz.h"

#include "pki/scep.h"

FUZZ_HARNESS(owner, in)
{
    struct scep_query query;
    struct bytes message;
    struct err err;
    if (!scep_query_parse(owner, in, &query, &err))
        return;
    FUZZ_HOLDS(query.operation >= SCEP_GET_CAPABILITIES && query.operation <= SCEP_PKI_OPERATION);
    if (scep_query_message(owner, &query, &message, &err))
        FUZZ_HOLDS(message.size <= SCEP_MESSAGE_MAX);
}
