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

bool cms_unbundle(void *owner, struct bytes der, size_t limit, struct bytes *certificates,
                  size_t *count, struct err *err)
{
    struct bytes whole;
    if (!der_normalise(owner, der, &whole, err))
        return false;
    struct reader outer = reader_of(whole);
    struct reader info = reader_of(der_take(&outer, DER_SEQUENCE));
    (void)der_take(&info, DER_OID);
    struct reader explicit_tag = reader_of(der_take(&info, DER_CONTEXT_0));
    struct reader data = reader_of(der_take(&explicit_tag, DER_SEQUENCE));
    (void)der_take(&data, DER_INTEGER);
    (void)der_take(&data, DER_SET);
    (void)der_take(&data, DER_SEQUENCE);
    struct reader set = reader_of(der_take(&data, DER_CONTEXT_0));
    size_t found = 0;
    while (reader_left(&set) > 0 && reader_ok(&set) && found < limit)
        certificates[found++] = der_next(&set).whole;
    if (!reader_ok(&data) || !reader_done(&set) || !reader_done(&outer))
        return err_set(err, ERR_BAD_INPUT, "not a bundle of at most %zu certificates", limit);
    *count = found;
    return true;
}

static bool verify_at(CMS_ContentInfo *cms, X509 *root, int64_t at, BIO *out, struct err *err)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = X509_STORE_new();
    if (!store || X509_STORE_add_cert(store, root) != 1)
        return openssl_fail(err, ERR_INTERNAL, "certificate store");
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)at);
    return CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY) == 1 ||
           openssl_fail(err, ERR_UNAUTHENTICATED, "the signature does not hold");
}

bool cms_verify_own(void *owner, struct bytes der, struct bytes root, int64_t at,
                    struct bytes *content, struct err *err)
{
    CLEANUP(CMS_ContentInfo_free_at) CMS_ContentInfo *cms = DER_READ(d2i_CMS_ContentInfo, der);
    CLEANUP(X509_free_at) X509 *anchor = DER_READ(d2i_X509, root);
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    const uint8_t *data;
    if (!cms || !anchor || !out)
        return openssl_fail(err, ERR_BAD_INPUT, "not signed data");
    if (!verify_at(cms, anchor, at, out, err))
        return false;
    size_t size = (size_t)BIO_get_mem_data(out, &data);
    *content = bytes_copy(owner, (struct bytes){data, size});
    return true;
}
