/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP questions by POST and by GET. */
#include "tests/fuzz/fuzz.h"

#include "pki/ocsp.h"
#include "pki/openssl.h"

static struct bytes issuing_make(void)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_free_at) X509 *certificate = X509_new();
    if (!key || !certificate || X509_set_pubkey(certificate, key) != 1 ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), 0) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) ||
        X509_sign(certificate, key, EVP_sha256()) <= 0)
        bug("no certificate");
    return DER_OF(NULL, i2d_X509, certificate);
}

FUZZ_HARNESS(owner, in)
{
    static struct bytes issuing; /* made once */
    struct ocsp_request request;
    struct err err;
    if (!issuing.data)
        issuing = issuing_make();
    if (ocsp_parse(owner, in, issuing, &request, &err) ||
        ocsp_parse_path(owner, in, issuing, &request, &err)) {
        FUZZ_HOLDS(request.count >= 1 && request.count <= OCSP_QUESTIONS_MAX);
        FUZZ_HOLDS(request.nonce.size <= OCSP_NONCE_ECHO_MAX);
        for (size_t i = 0; i < request.count; i++)
            FUZZ_HOLDS(*request.questions[i].serial);
    }
}
