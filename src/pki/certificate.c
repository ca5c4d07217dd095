/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/certificate.h"

#include "base/id.h"
#include "base/text.h"
#include "pki/name_openssl.h"

void certificate_serial_make(uint8_t serial[16])
{
    random_bytes(serial, 16);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
}

static bool time_read(const ASN1_TIME *time, int64_t *out, struct err *err)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "a time that is none");
    *out = (int64_t)timegm(&parts);
    return true;
}

/* Other people's certificates carry kinds of names that we need not understand. */
static const char *first_uri(void *owner, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        struct err ignored;
        char *value;
        if (name->type == GEN_URI &&
            string_read(owner, name->d.uniformResourceIdentifier, NAME_VALUE_MAX, &value, &ignored))
            return value;
    }
    return NULL;
}

static const char *alternative_uri(void *owner, const X509 *certificate)
{
    CLEANUP(GENERAL_NAMES_free_at)
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    return first_uri(owner, names);
}

static const char *crl_uri(void *owner, const X509 *certificate)
{
    const char *uri = NULL;
    CRL_DIST_POINTS *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points) && !uri; i++) {
        const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;
        if (name && name->type == 0) /* fullName */
            uri = first_uri(owner, name->name.fullname);
    }
    CRL_DIST_POINTS_free(points);
    return uri;
}

/* basicConstraints itself: X509_check_ca() says no where keyUsage lacks keyCertSign. */
static bool is_authority(const X509 *certificate)
{
    CLEANUP(BASIC_CONSTRAINTS_free_at)
    BASIC_CONSTRAINTS *constraints =
        X509_get_ext_d2i(certificate, NID_basic_constraints, NULL, NULL);
    return constraints && constraints->ca;
}

static bool certificate_fill(void *owner, const X509 *x509, struct bytes der,
                             struct certificate *out, struct err *err)
{
    struct certificate found = {.der = bytes_copy(owner, der)};
    if (!name_read(owner, X509_get_subject_name(x509), &found.subject, err) ||
        !name_read(owner, X509_get_issuer_name(x509), &found.issuer, err) ||
        !time_read(X509_get0_notBefore(x509), &found.not_before, err) ||
        !time_read(X509_get0_notAfter(x509), &found.not_after, err))
        return false;
    found.spki = DER_OF(owner, i2d_X509_PUBKEY, X509_get_X509_PUBKEY(x509));
    found.issuer_der = DER_OF(owner, i2d_X509_NAME, X509_get_issuer_name(x509));
    found.subject_der = DER_OF(owner, i2d_X509_NAME, X509_get_subject_name(x509));
    found.common_name = name_value(&found.subject, "CN");
    found.serial = serial_hex(owner, X509_get0_serialNumber(x509));
    found.sha256 = digest_sha256_hex(owner, der);
    found.spki_sha256 = digest_sha256_hex(owner, found.spki);
    found.san_uri = alternative_uri(owner, x509);
    found.crl_url = crl_uri(owner, x509);
    found.is_authority = is_authority(x509);
    ERR_clear_error();
    *out = found;
    return true;
}

bool certificate_parse(void *owner, struct bytes der, struct certificate *out, struct err *err)
{
    if (der.size > CERTIFICATE_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "certificate exceeds %d bytes", CERTIFICATE_SIZE_MAX);
    CLEANUP(X509_free_at) X509 *x509 = DER_READ(d2i_X509, der);
    if (!x509)
        return openssl_fail(err, ERR_BAD_INPUT, "not a certificate");
    return certificate_fill(owner, x509, der, out, err) || err_context(err, "certificate");
}

bool certificate_is_issued_by(struct bytes der, struct bytes authority_der)
{
    CLEANUP(X509_free_at) X509 *leaf = DER_READ(d2i_X509, der);
    CLEANUP(X509_free_at) X509 *authority = DER_READ(d2i_X509, authority_der);
    bool issued =
        leaf && authority &&
        X509_NAME_cmp(X509_get_issuer_name(leaf), X509_get_subject_name(authority)) == 0 &&
        X509_verify(leaf, X509_get0_pubkey(authority)) == 1;
    ERR_clear_error();
    return issued;
}
