/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/scep.h"

#include "base/field.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/uri.h"

#define PAIRS_MAX 4

static const char *const operation_names[] = {
    "",
    [SCEP_GET_CAPABILITIES] = "GetCACaps",
    [SCEP_GET_AUTHORITY] = "GetCACert",
    [SCEP_GET_NEXT_AUTHORITY] = "GetNextCACert",
    [SCEP_PKI_OPERATION] = "PKIOperation",
    NULL,
};

bool scep_query_parse(void *owner, struct bytes query, struct scep_query *out, struct err *err)
{
    struct uri_query pairs;
    if (query.size > SCEP_QUERY_MAX)
        return err_set(err, ERR_TOO_LARGE, "query exceeds %d bytes", SCEP_QUERY_MAX);
    if (!uri_query_parse(owner, query, PAIRS_MAX, &pairs, err))
        return false;
    const char *operation = uri_query_get(&pairs, "operation");
    int found = operation && *operation ? name_find(operation_names, operation) : -1;
    if (found < 0)
        return err_set(err, ERR_BAD_INPUT, "no such SCEP operation");
    *out = (struct scep_query){(enum scep_operation)found, uri_query_get(&pairs, "message")};
    return true;
}

bool scep_query_message(void *owner, const struct scep_query *query, struct bytes *out,
                        struct err *err)
{
    if (!query->message)
        return err_set(err, ERR_BAD_INPUT, "a SCEP operation without message");
    return base64_decode_lenient(owner, bytes_text(query->message), SCEP_MESSAGE_MAX, out, err);
}

/* SHA-384 is also what strongSwan 5.9.8 tests where it means SHA-256. */
#define CAPABILITIES "POSTPKIOperation\nRenewal\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n"
#define LEGACY "SHA-1\nDES3\n"
#define NEXT "GetNextCACert\n"

const char *scep_capabilities(bool with_legacy, bool has_next)
{
    return has_next      ? with_legacy ? CAPABILITIES LEGACY NEXT : CAPABILITIES NEXT
           : with_legacy ? CAPABILITIES LEGACY
                         : CAPABILITIES;
}
