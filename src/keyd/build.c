/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/build.h"

#include <arpa/inet.h>

#define SAN_TEXT_MAX 253 /* bytes: the longest DNS name */
#define URL_MAX 1024     /* bytes */
#define POINT_MAX 32768  /* bytes of all URLs of one list */

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        bug("a certificate of ours holds no time");
    return (int64_t)timegm(&parts);
}

int64_t build_not_after(const X509 *certificate)
{
    return seconds_of(X509_get0_notAfter(certificate));
}

int64_t build_not_before(const X509 *certificate)
{
    return seconds_of(X509_get0_notBefore(certificate));
}

static bool name_add(X509_NAME *name, const char *type, const char *value, struct err *err)
{
    if (!value || !*value)
        return true;
    if (X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1, -1,
                                   0) != 1) {
        ERR_clear_error();
        return err_at(err, ERR_BAD_INPUT, type, "not a value for a certificate's subject");
    }
    return true;
}

static bool put_subject(X509 *certificate, const struct build_plan *plan, struct err *err)
{
    CLEANUP(X509_NAME_free_at) X509_NAME *name = X509_NAME_new();
    return name_add(name, "O", plan->organization, err) &&
           name_add(name, "CN", plan->common_name, err) &&
           (X509_set_subject_name(certificate, name) == 1 ||
            openssl_fail(err, ERR_INTERNAL, "subject"));
}

static bool put_times(X509 *certificate, const struct build_plan *plan, struct err *err)
{
    CLEANUP(ASN1_TIME_free_at) ASN1_TIME *from = ASN1_TIME_set(NULL, plan->not_before);
    CLEANUP(ASN1_TIME_free_at) ASN1_TIME *to = ASN1_TIME_set(NULL, plan->not_after);
    if (!from || !to || X509_set1_notBefore(certificate, from) != 1 ||
        X509_set1_notAfter(certificate, to) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "validity");
    return true;
}

static bool put_serial(X509 *certificate, const uint8_t serial[16], struct err *err)
{
    CLEANUP(BN_free_at) BIGNUM *number = BN_bin2bn(serial, 16, NULL);
    CLEANUP(ASN1_INTEGER_free_at) ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    return (integer && X509_set_serialNumber(certificate, integer) == 1) ||
           openssl_fail(err, ERR_INTERNAL, "serial");
}

static bool put_constant_extensions(X509 *certificate, X509 *issuer,
                                    const struct build_extension *list, struct err *err)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer ? issuer : certificate, certificate, NULL, NULL, 0);
    for (; list->value; list++) {
        CLEANUP(X509_EXTENSION_free_at)
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, list->nid, list->value);
        if (!extension || X509_add_ext(certificate, extension, -1) != 1)
            return openssl_fail(err, ERR_INTERNAL, OBJ_nid2sn(list->nid));
    }
    return true;
}

static bool is_printable(const char *text, size_t limit)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return size > 0 && size <= limit;
}

static GENERAL_NAME *general_text(int type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    if (!name || !value || ASN1_STRING_set(value, text, -1) != 1)
        bug("a name cannot be made");
    GENERAL_NAME_set0_value(name, type, value);
    return name;
}

static bool add_text_name(GENERAL_NAMES *names, int type, const char *text, size_t limit,
                          struct err *err)
{
    if (!is_printable(text, limit))
        return err_set(err, ERR_BAD_INPUT, "not a value for a certificate's alternative name");
    return sk_GENERAL_NAME_push(names, general_text(type, text)) > 0;
}

static bool add_address(GENERAL_NAMES *names, const char *text, struct err *err)
{
    uint8_t octets[16];
    int size = inet_pton(AF_INET, text, octets) == 1    ? 4
               : inet_pton(AF_INET6, text, octets) == 1 ? 16
                                                        : 0;
    if (size == 0)
        return err_set(err, ERR_BAD_INPUT, "not an IP address in an alternative name");
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    if (!name || !value || ASN1_OCTET_STRING_set(value, octets, size) != 1)
        bug("a name cannot be made");
    GENERAL_NAME_set0_value(name, GEN_IPADD, value);
    return sk_GENERAL_NAME_push(names, name) > 0;
}

static bool put_alternatives(X509 *certificate, const struct build_plan *plan, struct err *err)
{
    CLEANUP(GENERAL_NAMES_free_at) GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    for (size_t i = 0; plan->san_dns && plan->san_dns[i]; i++)
        if (!add_text_name(names, GEN_DNS, plan->san_dns[i], SAN_TEXT_MAX, err))
            return false;
    for (size_t i = 0; plan->san_ip && plan->san_ip[i]; i++)
        if (!add_address(names, plan->san_ip[i], err))
            return false;
    if (plan->san_uri && !add_text_name(names, GEN_URI, plan->san_uri, URL_MAX, err))
        return false;
    if (sk_GENERAL_NAME_num(names) == 0)
        return true;
    return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1 ||
           openssl_fail(err, ERR_INTERNAL, "alternative names");
}

/* [0] { [0] fullName { [6] URL, ... } } */
bool build_point_name(void *owner, const char *const *urls, struct bytes *out, struct err *err)
{
    struct buffer joined;
    struct bytes names;
    buffer_init(&joined, owner, POINT_MAX);
    for (; *urls; urls++) {
        if (!is_printable(*urls, URL_MAX))
            return err_set(err, ERR_BAD_INPUT, "not a URL for a certificate");
        buffer_add(&joined, DER_MAKE(owner, 0x86, bytes_text(*urls)));
    }
    if (!buffer_done(&joined, &names, err))
        return false;
    struct bytes full = DER_MAKE(owner, DER_CONTEXT_0, names);
    *out = DER_MAKE(owner, DER_CONTEXT_0, full);
    return true;
}

/* SEQUENCE OF DistributionPoint */
bool build_points(void *owner, const char *const *urls, struct bytes *out, struct err *err)
{
    struct bytes point;
    if (!build_point_name(owner, urls, &point, err))
        return false;
    *out = DER_MAKE(owner, DER_SEQUENCE, DER_MAKE(owner, DER_SEQUENCE, point));
    return true;
}

static bool put_crl_url(X509 *certificate, const char *url, struct err *err)
{
    if (!url)
        return true;
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes list;
    if (!build_points(scratch, (const char *const[]){url, NULL}, &list, err))
        return false;
    CRL_DIST_POINTS *points = DER_READ(d2i_CRL_DIST_POINTS, list);
    bool good =
        points && X509_add1_ext_i2d(certificate, NID_crl_distribution_points, points, 0, 0) == 1;
    CRL_DIST_POINTS_free(points);
    return good || openssl_fail(err, ERR_INTERNAL, "CRL distribution point");
}

static void add_access(AUTHORITY_INFO_ACCESS *list, int method, const char *url)
{
    if (!url)
        return;
    ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();
    if (!access)
        bug("an access description cannot be made");
    ASN1_OBJECT_free(access->method);
    access->method = OBJ_nid2obj(method);
    GENERAL_NAME_free(access->location);
    access->location = general_text(GEN_URI, url);
    (void)sk_ACCESS_DESCRIPTION_push(list, access);
}

static bool put_information_access(X509 *certificate, const struct build_plan *plan,
                                   struct err *err)
{
    if (!plan->ocsp_url && !plan->issuer_url)
        return true;
    if ((plan->ocsp_url && !is_printable(plan->ocsp_url, URL_MAX)) ||
        (plan->issuer_url && !is_printable(plan->issuer_url, URL_MAX)))
        return err_set(err, ERR_BAD_INPUT, "not a URL for a certificate");
    AUTHORITY_INFO_ACCESS *list = sk_ACCESS_DESCRIPTION_new_null();
    add_access(list, NID_ad_OCSP, plan->ocsp_url);
    add_access(list, NID_ad_ca_issuers, plan->issuer_url);
    bool good = X509_add1_ext_i2d(certificate, NID_info_access, list, 0, 0) == 1;
    AUTHORITY_INFO_ACCESS_free(list);
    return good || openssl_fail(err, ERR_INTERNAL, "authority information access");
}

bool build_certificate(const struct build_plan *plan, X509 *issuer, EVP_PKEY *signer, X509 **out,
                       struct err *err)
{
    CLEANUP(X509_free_at) X509 *certificate = X509_new();
    if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        X509_set_pubkey(certificate, plan->key) != 1)
        return openssl_fail(err, ERR_INTERNAL, "certificate");
    if (!put_subject(certificate, plan, err) || !put_times(certificate, plan, err) ||
        !put_serial(certificate, plan->serial, err))
        return false;
    if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate)) !=
        1)
        return openssl_fail(err, ERR_INTERNAL, "issuer");
    if (!put_constant_extensions(certificate, issuer, plan->extensions, err) ||
        !put_alternatives(certificate, plan, err) ||
        !put_crl_url(certificate, plan->crl_url, err) ||
        !put_information_access(certificate, plan, err))
        return false;
    if (X509_sign(certificate, signer, EVP_sha256()) <= 0)
        return openssl_fail(err, ERR_INTERNAL, "signing a certificate");
    *out = certificate;
    certificate = NULL;
    return true;
}
