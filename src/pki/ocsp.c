/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/ocsp.h"

#include "codec/base64.h"
#include "codec/uri.h"
#include "pki/name_openssl.h"

/* Asked by SHA-1 (what clients send) or SHA-256 of our issuing CA's name and key. */
static bool names_issuer(OCSP_CERTID *id, const X509 *issuing)
{
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *serial = NULL;
    (void)OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, id);
    int nid = OBJ_obj2nid(algorithm);
    if (nid != NID_sha1 && nid != NID_sha256)
        return false;
    CLEANUP(OCSP_CERTID_free_at)
    OCSP_CERTID *own =
        OCSP_cert_id_new(nid == NID_sha1 ? EVP_sha1() : EVP_sha256(),
                         X509_get_subject_name(issuing), X509_get0_pubkey_bitstr(issuing), serial);
    return own && OCSP_id_issuer_cmp(own, id) == 0;
}

static void question_read(void *owner, OCSP_CERTID *id, const X509 *issuing,
                          struct ocsp_question *out)
{
    ASN1_INTEGER *serial = NULL;
    (void)OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
    *out = (struct ocsp_question){.cert_id = DER_OF(owner, i2d_OCSP_CERTID, id),
                                  .is_ours = names_issuer(id, issuing),
                                  .serial = serial_hex(owner, serial)};
}

/* The extension holds an OCTET STRING; some clients leave that wrapping out. */
static bool nonce_read(void *owner, OCSP_REQUEST *request, struct bytes *out, struct err *err)
{
    int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
    if (at < 0)
        return true;
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(request, at));
    struct bytes raw = {ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data)};
    struct reader in = reader_of(raw);
    struct bytes nonce = der_take(&in, DER_OCTET_STRING);
    if (!reader_done(&in))
        nonce = raw;
    if (nonce.size == 0 || nonce.size > OCSP_NONCE_MAX)
        return err_set(err, ERR_BAD_INPUT, "an OCSP nonce of %zu bytes", nonce.size);
    if (nonce.size <= OCSP_NONCE_ECHO_MAX)
        *out = bytes_copy(owner, nonce);
    return true;
}

bool ocsp_parse(void *owner, struct bytes body, struct bytes issuing, struct ocsp_request *out,
                struct err *err)
{
    if (body.size > OCSP_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "OCSP request exceeds %d bytes", OCSP_SIZE_MAX);
    CLEANUP(OCSP_REQUEST_free_at) OCSP_REQUEST *request = DER_READ(d2i_OCSP_REQUEST, body);
    CLEANUP(X509_free_at) X509 *issuer = DER_READ(d2i_X509, issuing);
    if (!request)
        return openssl_fail(err, ERR_BAD_INPUT, "not an OCSP request");
    if (!issuer)
        return openssl_fail(err, ERR_INTERNAL, "the issuing CA's certificate");
    int count = OCSP_request_onereq_count(request);
    if (count < 1 || count > OCSP_QUESTIONS_MAX)
        return err_set(err, ERR_BAD_INPUT, "1 to %d certificates in one question",
                       OCSP_QUESTIONS_MAX);
    struct ocsp_request found = {.count = (size_t)count};
    for (int i = 0; i < count; i++)
        question_read(owner, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i)), issuer,
                      &found.questions[i]);
    bool good = nonce_read(owner, request, &found.nonce, err);
    ERR_clear_error();
    if (!good)
        return false;
    *out = found;
    return true;
}

bool ocsp_parse_path(void *owner, struct bytes path, struct bytes issuing, struct ocsp_request *out,
                     struct err *err)
{
    char *text;
    struct bytes body;
    if (path.size > 3 * OCSP_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "OCSP request exceeds %d bytes", OCSP_SIZE_MAX);
    return uri_decode(owner, path, false, &text, err) &&
           base64_decode_lenient(owner, bytes_text(text), OCSP_SIZE_MAX, &body, err) &&
           ocsp_parse(owner, body, issuing, out, err);
}

struct bytes ocsp_error_render(void *owner, enum ocsp_error error)
{
    CLEANUP(OCSP_RESPONSE_free_at) OCSP_RESPONSE *response = OCSP_response_create(error, NULL);
    if (!response)
        bug("an OCSP error cannot be written");
    return DER_OF(owner, i2d_OCSP_RESPONSE, response);
}
