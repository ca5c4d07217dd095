/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/request.h"

#include "base/text.h"
#include "pki/name_openssl.h"

/* Exactly one attribute with exactly one value, or none at all. */
static bool attribute_find(const X509_REQ *request, int nid, const ASN1_TYPE **out, struct err *err)
{
    int at = X509_REQ_get_attr_by_NID(request, nid, -1);
    *out = NULL;
    if (at < 0)
        return true;
    X509_ATTRIBUTE *attribute = X509_REQ_get_attr(request, at);
    if (X509_REQ_get_attr_by_NID(request, nid, at) >= 0 || X509_ATTRIBUTE_count(attribute) != 1)
        return err_set(err, ERR_BAD_INPUT, "a doubled attribute in the request");
    *out = X509_ATTRIBUTE_get0_type(attribute, 0);
    return true;
}

static int challenge_wipe(char *text)
{
    bytes_wipe(text, strlen(text));
    return 0;
}

static bool challenge_read(void *owner, const X509_REQ *request, const char **out, struct err *err)
{
    const ASN1_TYPE *value;
    char *text;
    if (!attribute_find(request, NID_pkcs9_challengePassword, &value, err))
        return false;
    *out = NULL;
    if (!value)
        return true;
    switch (value->type) { /* DirectoryString, and IA5String that some write */
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING: break;
    default: return err_set(err, ERR_BAD_INPUT, "a challenge that is no text");
    }
    if (!string_read(owner, value->value.asn1_string, REQUEST_CHALLENGE_MAX, &text, err))
        return err_context(err, "challenge");
    mem_destructor(text, challenge_wipe);
    *out = text;
    return true;
}

/* X509V3_get_d2i: NULL with -1 is absent, -2 doubled, anything else malformed. */
static bool extension_find(const STACK_OF(X509_EXTENSION) * list, int nid, void **out,
                           struct err *err)
{
    int critical;
    *out = X509V3_get_d2i(list, nid, &critical, NULL);
    return *out || critical == -1 ||
           openssl_fail(err, ERR_BAD_INPUT, "a doubled or malformed extension in the request");
}

static bool key_usage_read(const STACK_OF(X509_EXTENSION) * list, struct certificate_request *out,
                           struct err *err)
{
    void *found;
    if (!extension_find(list, NID_key_usage, &found, err))
        return false;
    CLEANUP(ASN1_BIT_STRING_free_at) ASN1_BIT_STRING *bits = found;
    if (!bits)
        return true;
    const uint8_t *data = ASN1_STRING_get0_data(bits);
    int size = ASN1_STRING_length(bits);
    if (size > 2)
        return err_set(err, ERR_BAD_INPUT, "a key usage of %d bytes", size);
    out->has_key_usage = true;
    out->key_usage = (size > 0 ? data[0] : 0u) | (size > 1 ? (unsigned)data[1] << 8 : 0u);
    return true;
}

static bool purposes_read(void *owner, const STACK_OF(X509_EXTENSION) * list,
                          struct certificate_request *out, struct err *err)
{
    void *found;
    if (!extension_find(list, NID_ext_key_usage, &found, err))
        return false;
    CLEANUP(EXTENDED_KEY_USAGE_free_at) EXTENDED_KEY_USAGE *usage = found;
    int count = usage ? sk_ASN1_OBJECT_num(usage) : 0;
    if (count > REQUEST_PURPOSES_MAX)
        return err_set(err, ERR_BAD_INPUT, "more than %d extended key usages",
                       REQUEST_PURPOSES_MAX);
    const char **purposes = mem_array(owner, const char *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        purposes[i] = object_digits(purposes, sk_ASN1_OBJECT_value(usage, i));
    out->has_purposes = usage != NULL;
    out->purposes = purposes;
    return true;
}

static bool constraints_check(const STACK_OF(X509_EXTENSION) * list, struct err *err)
{
    void *found;
    if (!extension_find(list, NID_basic_constraints, &found, err))
        return false;
    CLEANUP(BASIC_CONSTRAINTS_free_at) BASIC_CONSTRAINTS *constraints = found;
    return !constraints || !constraints->ca ||
           err_set(err, ERR_BAD_INPUT, "a request for an authority's certificate");
}

static bool alternatives_find(void *owner, const STACK_OF(X509_EXTENSION) * list,
                              struct certificate_request *out, struct err *err)
{
    void *found;
    if (!extension_find(list, NID_subject_alt_name, &found, err))
        return false;
    CLEANUP(GENERAL_NAMES_free_at) GENERAL_NAMES *names = found;
    return !names || alternatives_read(owner, names, &out->alternatives, err);
}

/* The extensions stand under PKCS#9's attribute or under Microsoft's; in both is one too many. */
static bool extensions_read(void *owner, X509_REQ *request, struct certificate_request *out,
                            struct err *err)
{
    const ASN1_TYPE *standard, *microsoft;
    if (!attribute_find(request, NID_ext_req, &standard, err) ||
        !attribute_find(request, NID_ms_ext_req, &microsoft, err))
        return false;
    if (standard && microsoft)
        return err_set(err, ERR_BAD_INPUT, "extensions in two places of the request");
    if (!standard && !microsoft)
        return purposes_read(owner, NULL, out, err);
    CLEANUP(x509_extensions_free_at)
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    if (!list)
        return openssl_fail(err, ERR_BAD_INPUT, "malformed extensions in the request");
    return constraints_check(list, err) && alternatives_find(owner, list, out, err) &&
           key_usage_read(list, out, err) && purposes_read(owner, list, out, err);
}

static bool signature_check(X509_REQ *request, bool with_legacy, struct err *err)
{
    int digest = NID_undef;
    if (OBJ_find_sigid_algs(X509_REQ_get_signature_nid(request), &digest, NULL) != 1 ||
        (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512 &&
         !(digest == NID_sha1 && with_legacy)))
        return openssl_fail(err, ERR_BAD_INPUT,
                            "a request that is not signed with SHA-256, SHA-384 or SHA-512");
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    if (!key || X509_REQ_verify(request, key) != 1)
        return openssl_fail(err, ERR_UNAUTHENTICATED, "the request is not signed by its own key");
    return true;
}

static bool request_fill(void *owner, X509_REQ *request, bool with_legacy,
                         struct certificate_request *out, struct err *err)
{
    return name_read(owner, X509_REQ_get_subject_name(request), &out->subject, err) &&
           challenge_read(owner, request, &out->challenge, err) &&
           extensions_read(owner, request, out, err) && key_check(out->spki, &out->key, err) &&
           signature_check(request, with_legacy, err);
}

static bool request_take(void *owner, struct bytes der, bool with_legacy,
                         struct certificate_request *out, struct err *err)
{
    if (der.size > REQUEST_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "request exceeds %d bytes", REQUEST_SIZE_MAX);
    CLEANUP(X509_REQ_free_at) X509_REQ *request = DER_READ(d2i_X509_REQ, der);
    if (!request)
        return openssl_fail(err, ERR_BAD_INPUT, "not a certificate request");
    struct certificate_request found = {.der = bytes_copy(owner, der)};
    found.spki = DER_OF(owner, i2d_X509_PUBKEY, X509_REQ_get_X509_PUBKEY(request));
    found.spki_sha256 = digest_sha256_hex(owner, found.spki);
    bool good = request_fill(owner, request, with_legacy, &found, err);
    ERR_clear_error();
    if (!good && err->kind == ERR_BAD_INPUT)
        err->kind = ERR_PRECONDITION; /* it is a request, but not one that is answered */
    if (!good)
        return false;
    *out = found;
    return true;
}

bool request_parse(void *owner, struct bytes der, struct certificate_request *out, struct err *err)
{
    return request_take(owner, der, false, out, err);
}

bool request_parse_legacy(void *owner, struct bytes der, struct certificate_request *out,
                          struct err *err)
{
    return request_take(owner, der, true, out, err);
}

const char *key_usage_text(void *owner, unsigned usage)
{
    const unsigned both = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT;
    if (usage == both)
        return "digitalSignature,keyEncipherment";
    if (usage == KEY_USAGE_DIGITAL_SIGNATURE)
        return "digitalSignature";
    if (usage == KEY_USAGE_KEY_ENCIPHERMENT)
        return "keyEncipherment";
    return mem_format(owner, "bits 0x%x", usage);
}
