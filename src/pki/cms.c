/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cms.h"

#include "pki/oid.h"
#include "pki/openssl.h"

static const uint8_t oid_data[] = {OID_DATA}, oid_signed[] = {OID_SIGNED_DATA};
static const uint8_t one[] = {1};

struct bytes cms_bundle(void *owner, const struct bytes *certificates, size_t count,
                        struct bytes crl)
{
    struct bytes version = DER_MAKE(owner, DER_INTEGER, BYTES_OF(one));
    struct bytes empty = DER_MAKE(owner, DER_SET, NO_BYTES);
    struct bytes content =
        DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_OID, BYTES_OF(oid_data)));
    struct bytes set = count ? der_make(owner, DER_CONTEXT_0, certificates, count) : NO_BYTES;
    struct bytes crls = crl.size ? DER_MAKE(owner, DER_CONTEXT_1, crl) : NO_BYTES;
    struct bytes data = DER_MAKE(owner, DER_SEQUENCE, version, empty, content, set, crls, empty);
    return DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_OID, BYTES_OF(oid_signed)),
                    DER_MAKE(owner, DER_CONTEXT_0, data));
}
