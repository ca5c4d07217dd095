/* SPDX-License-Identifier: Apache-2.0 */
/* What tells others that a certificate still holds: OCSP responses and the CRL. */
#include "keyd/answer.h"
#include "pki/keyd.h"

#define SINGLES_MAX 8
#define CERT_ID_MAX 256
#define NONCE_MAX 32     /* bytes: RFC 9654 2.1 */
#define SERIAL_MAX 20    /* bytes: RFC 5280 4.1.2.2 */
#define CRL_URL_MAX 1024 /* bytes */
#define VALIDITY_MAX ((int64_t)31 * 86400)

static bool period_check(int64_t this_update, int64_t next_update, struct err *err)
{
    if (this_update <= 0 || next_update <= this_update || next_update - this_update > VALIDITY_MAX)
        return err_set(err, ERR_BAD_INPUT, "a status holds for up to 31 days");
    return true;
}

/* RFC 5280 5.3.1: 7 is not used, 8 belongs to lists of changes. */
static bool reason_is_valid(int reason)
{
    return reason >= 0 && reason <= 10 && reason != 7 && reason != 8;
}

/* ---- OCSP ---- */

/* The CertID names this issuing CA, by SHA-1 or SHA-256. */
static bool is_of(const struct generation *generation, OCSP_CERTID *id)
{
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *serial = NULL;
    (void)OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, id);
    int nid = algorithm ? OBJ_obj2nid(algorithm) : NID_undef;
    if (nid != NID_sha1 && nid != NID_sha256)
        return false;
    X509 *issuer = generation->identities[IDENTITY_ISSUING].certificate;
    CLEANUP(OCSP_CERTID_free_at)
    OCSP_CERTID *own =
        OCSP_cert_id_new(nid == NID_sha1 ? EVP_sha1() : EVP_sha256(), X509_get_subject_name(issuer),
                         X509_get0_pubkey_bitstr(issuer), serial);
    return own && OCSP_id_issuer_cmp(own, id) == 0;
}

/* The one that has issued what is asked about; a delegate speaks for its own issuer alone. */
static bool issuer_find(struct call *call, OCSP_CERTID *id, struct generation **issuer,
                        struct err *err)
{
    struct vault *vault = call->vault;
    for (size_t i = 0; i < vault->generation_count; i++) {
        struct generation *one = &vault->generations[i];
        if (!one->identities[IDENTITY_OCSP].key || !is_of(one, id) || (*issuer && *issuer != one))
            continue;
        *issuer = one;
        return true;
    }
    return err_set(err, ERR_FORBIDDEN, "not a certificate of this authority");
}

struct period {
    ASN1_TIME *this_update, *next_update;
};

static bool single_add(struct call *call, OCSP_BASICRESP *response, const struct period *period,
                       struct generation **issuer, struct err *err)
{
    struct bytes der = wire_get_bytes(&call->in, CERT_ID_MAX);
    uint8_t state = reader_u8(&call->in);
    int64_t revoked_at = wire_get_i64(&call->in);
    uint8_t reason = reader_u8(&call->in);
    CLEANUP(OCSP_CERTID_free_at)
    OCSP_CERTID *id = reader_ok(&call->in) ? DER_READ(d2i_OCSP_CERTID, der) : NULL;
    if (!id || state > OCSP_UNKNOWN || !reason_is_valid(reason))
        return openssl_fail(err, ERR_BAD_INPUT, "malformed status");
    if (!issuer_find(call, id, issuer, err) && state != OCSP_UNKNOWN)
        return false;
    static const int states[] = {[OCSP_GOOD] = V_OCSP_CERTSTATUS_GOOD,
                                 [OCSP_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
                                 [OCSP_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN};
    bool revoked = state == OCSP_REVOKED;
    CLEANUP(ASN1_TIME_free_at)
    ASN1_TIME *when = revoked ? ASN1_GENERALIZEDTIME_set(NULL, revoked_at) : NULL;
    /* -1: unspecified is said by saying nothing (RFC 5280 5.3.1) */
    int said = revoked && reason != 0 ? reason : OCSP_REVOKED_STATUS_NOSTATUS;
    if ((revoked && !when) || !OCSP_basic_add1_status(response, id, states[state], said, when,
                                                      period->this_update, period->next_update))
        return openssl_fail(err, ERR_BAD_INPUT, "malformed status");
    return true;
}

/* The extension's value is an OCTET STRING of its own (RFC 9654 2.1); OpenSSL's own encoder for
 * this extension would leave that out. */
static bool nonce_add(void *owner, OCSP_BASICRESP *response, struct bytes nonce, struct err *err)
{
    if (nonce.size == 0)
        return true;
    struct bytes inner = DER_MAKE(owner, DER_OCTET_STRING, nonce);
    CLEANUP(ASN1_OCTET_STRING_free_at) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    if (!value || ASN1_OCTET_STRING_set(value, inner.data, (int)inner.size) != 1)
        return openssl_fail(err, ERR_INTERNAL, "OCSP nonce");
    CLEANUP(X509_EXTENSION_free_at)
    X509_EXTENSION *extension =
        X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, value);
    if (!extension || OCSP_BASICRESP_add_ext(response, extension, -1) != 1)
        return openssl_fail(err, ERR_INTERNAL, "OCSP nonce");
    return true;
}

static bool response_fill(struct call *call, OCSP_BASICRESP *response, struct generation **issuer,
                          struct err *err)
{
    int64_t from = wire_get_i64(&call->in), until = wire_get_i64(&call->in);
    struct bytes nonce = wire_get_bytes(&call->in, NONCE_MAX);
    uint32_t count = reader_u32(&call->in);
    if (!reader_ok(&call->in) || count == 0 || count > SINGLES_MAX)
        return err_set(err, ERR_BAD_INPUT, "1 to %d states in one answer", SINGLES_MAX);
    if (!period_check(from, until, err))
        return false;
    CLEANUP(ASN1_TIME_free_at) ASN1_TIME *this_update = ASN1_GENERALIZEDTIME_set(NULL, from);
    CLEANUP(ASN1_TIME_free_at) ASN1_TIME *next_update = ASN1_GENERALIZEDTIME_set(NULL, until);
    if (!this_update || !next_update)
        return openssl_fail(err, ERR_BAD_INPUT, "time of a status");
    const struct period period = {this_update, next_update};
    for (uint32_t i = 0; i < count; i++)
        if (!single_add(call, response, &period, issuer, err))
            return false;
    return call_read(call, err) && nonce_add(call->owner, response, nonce, err);
}

bool answer_sign_ocsp(struct call *call, struct err *err)
{
    struct generation *issuer = NULL;
    CLEANUP(OCSP_BASICRESP_free_at) OCSP_BASICRESP *response = OCSP_BASICRESP_new();
    if (!response_fill(call, response, &issuer, err))
        return false;
    if (!issuer)
        issuer = vault_current(call->vault);
    const struct identity *delegate = &issuer->identities[IDENTITY_OCSP];
    if (OCSP_basic_sign(response, delegate->certificate, delegate->key, EVP_sha256(), NULL,
                        OCSP_RESPID_KEY) != 1)
        return openssl_fail(err, ERR_INTERNAL, "signing an OCSP response");
    CLEANUP(OCSP_RESPONSE_free_at)
    OCSP_RESPONSE *whole = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, response);
    if (!whole)
        return openssl_fail(err, ERR_INTERNAL, "OCSP response");
    wire_bytes(call->out, DER_OF(call->owner, i2d_OCSP_RESPONSE, whole));
    return true;
}

/* ---- CRL ---- */

static bool revoked_set(X509_REVOKED *entry, struct bytes serial, int64_t revoked_at, int reason)
{
    CLEANUP(BN_free_at) BIGNUM *number = BN_bin2bn(serial.data, (int)serial.size, NULL);
    CLEANUP(ASN1_INTEGER_free_at) ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    CLEANUP(ASN1_TIME_free_at) ASN1_TIME *when = ASN1_TIME_set(NULL, revoked_at);
    if (!integer || !when || X509_REVOKED_set_serialNumber(entry, integer) != 1 ||
        X509_REVOKED_set_revocationDate(entry, when) != 1)
        return false;
    if (reason == 0)
        return true;
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
    bool good = code && ASN1_ENUMERATED_set(code, reason) == 1 &&
                X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1;
    ASN1_ENUMERATED_free(code);
    return good;
}

static bool revoked_add(struct call *call, X509_CRL *crl, bool is_delta, struct err *err)
{
    struct bytes serial = wire_get_bytes(&call->in, SERIAL_MAX);
    int64_t revoked_at = wire_get_i64(&call->in);
    uint8_t reason = reader_u8(&call->in);
    if (!reader_ok(&call->in) || serial.size == 0 ||
        !(reason_is_valid(reason) || (is_delta && reason == CRL_REASON_REMOVE)))
        return err_set(err, ERR_BAD_INPUT, "malformed revocation");
    X509_REVOKED *entry = X509_REVOKED_new();
    if (!entry || !revoked_set(entry, serial, revoked_at, reason) ||
        X509_CRL_add0_revoked(crl, entry) != 1) {
        X509_REVOKED_free(entry);
        return openssl_fail(err, ERR_BAD_INPUT, "malformed revocation");
    }
    return true;
}

static bool crl_extensions(X509_CRL *crl, X509 *issuer, int64_t number, struct err *err)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    CLEANUP(X509_EXTENSION_free_at)
    X509_EXTENSION *key_id =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    CLEANUP(ASN1_INTEGER_free_at) ASN1_INTEGER *integer = ASN1_INTEGER_new();
    if (!key_id || !integer || X509_CRL_add_ext(crl, key_id, -1) != 1 ||
        ASN1_INTEGER_set_int64(integer, number) != 1 ||
        X509_CRL_add1_ext_i2d(crl, NID_crl_number, integer, 0, 0) != 1)
        return openssl_fail(err, ERR_INTERNAL, "CRL extensions");
    return true;
}

static bool crl_head(X509_CRL *crl, X509 *issuer, const struct crl_fields *fields, struct err *err)
{
    CLEANUP(ASN1_TIME_free_at)
    ASN1_TIME *this_update = ASN1_TIME_set(NULL, fields->this_update);
    CLEANUP(ASN1_TIME_free_at)
    ASN1_TIME *next_update = ASN1_TIME_set(NULL, fields->next_update);
    if (!this_update || !next_update || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) != 1 ||
        X509_CRL_set1_lastUpdate(crl, this_update) != 1 ||
        X509_CRL_set1_nextUpdate(crl, next_update) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "CRL");
    return true;
}

/* issuingDistributionPoint: critical, else a list of some were taken for the list of all. */
static bool crl_point(struct call *call, X509_CRL *crl, const char *const *urls, struct err *err)
{
    struct bytes name;
    if (!urls || !urls[0])
        return true;
    if (!build_point_name(call->owner, urls, &name, err))
        return false;
    struct bytes der = DER_MAKE(call->owner, DER_SEQUENCE, name);
    ISSUING_DIST_POINT *point = DER_READ(d2i_ISSUING_DIST_POINT, der);
    bool good =
        point && X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, point, 1, 0) == 1;
    ISSUING_DIST_POINT_free(point);
    return good || openssl_fail(err, ERR_INTERNAL, "issuing distribution point");
}

/* deltaCRLIndicator: critical, else changes were taken for all there is. */
static bool crl_base(X509_CRL *crl, int64_t base, struct err *err)
{
    if (base == 0)
        return true;
    CLEANUP(ASN1_INTEGER_free_at) ASN1_INTEGER *integer = ASN1_INTEGER_new();
    return (integer && ASN1_INTEGER_set_int64(integer, base) == 1 &&
            X509_CRL_add1_ext_i2d(crl, NID_delta_crl, integer, 1, 0) == 1) ||
           openssl_fail(err, ERR_INTERNAL, "delta CRL indicator");
}

static bool crl_freshest(struct call *call, X509_CRL *crl, const char *const *urls, struct err *err)
{
    struct bytes der;
    if (!urls[0])
        return true;
    if (!build_points(call->owner, urls, &der, err))
        return false;
    CRL_DIST_POINTS *points = DER_READ(d2i_CRL_DIST_POINTS, der);
    bool good = points && X509_CRL_add1_ext_i2d(crl, NID_freshest_crl, points, 0, 0) == 1;
    CRL_DIST_POINTS_free(points);
    return good || openssl_fail(err, ERR_INTERNAL, "freshest CRL");
}

static bool crl_fields_read(struct call *call, struct crl_fields *out, struct err *err)
{
    struct reader *in = &call->in;
    struct crl_fields fields = {.authority = wire_get_i64(in)};
    fields.number = wire_get_i64(in);
    fields.this_update = wire_get_i64(in);
    fields.next_update = wire_get_i64(in);
    fields.urls = wire_get_texts(call->owner, in, KEYD_CRL_URLS_MAX, CRL_URL_MAX);
    fields.base = wire_get_i64(in);
    fields.fresh_urls = wire_get_texts(call->owner, in, KEYD_CRL_URLS_MAX, CRL_URL_MAX);
    fields.count = reader_u32(in);
    if (!reader_ok(in) || fields.count > KEYD_CRL_ENTRIES_MAX || fields.number < 0)
        return err_set(err, ERR_BAD_INPUT, "up to %d revocations in one list",
                       KEYD_CRL_ENTRIES_MAX);
    if (fields.base < 0 || fields.base > fields.number || (fields.base && fields.fresh_urls[0]))
        return err_set(err, ERR_BAD_INPUT, "changes to no list before this one");
    *out = fields;
    return period_check(fields.this_update, fields.next_update, err);
}

bool answer_sign_crl(struct call *call, struct err *err)
{
    struct generation *generation = NULL;
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = X509_CRL_new();
    struct crl_fields fields;
    if (!crl_fields_read(call, &fields, err) ||
        !vault_signing(call->vault, fields.authority, &generation, err))
        return false;
    const struct identity *issuer = &generation->identities[IDENTITY_ISSUING];
    if (!crl_head(crl, issuer->certificate, &fields, err))
        return false;
    for (size_t i = 0; i < fields.count; i++)
        if (!revoked_add(call, crl, fields.base > 0, err))
            return false;
    if (!call_read(call, err) || !crl_extensions(crl, issuer->certificate, fields.number, err) ||
        !crl_point(call, crl, fields.urls, err) || !crl_base(crl, fields.base, err) ||
        !crl_freshest(call, crl, fields.fresh_urls, err))
        return false;
    if (X509_CRL_sort(crl) != 1 || X509_CRL_sign(crl, issuer->key, EVP_sha256()) <= 0)
        return openssl_fail(err, ERR_INTERNAL, "signing a CRL");
    wire_bytes(call->out, DER_OF(call->owner, i2d_X509_CRL, crl));
    return true;
}
