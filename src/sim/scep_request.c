/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate request inside a SCEP message, right or wrong in one chosen way. */
#include <openssl/err.h>

#include "sim/scep_message.h"

const char *const SCEP_MISBEHAVIOURS[] = {
    "none",           "wrong-challenge", "other-subject",   "other-san", "weak-key",
    "two-challenges", "type-18",         "reuse-challenge", "des",       NULL};

#define USAGE_SIGNING 1u /* com.apple.security.scep, Key Usage */
#define USAGE_ENCRYPTION 4u

static bool challenge_add(X509_REQ *request, const char *challenge)
{
    return X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                     (const unsigned char *)challenge, -1) == 1;
}

static bool challenges_add(X509_REQ *request, const struct scep_wish *wish)
{
    const char *challenge = wish->challenge;
    if (wish->misbehaviour == SCEP_WRONG_CHALLENGE)
        challenge = "A2222222222222222222222222222222";
    if (!challenge)
        return true;
    if (!challenge_add(request, challenge))
        return false;
    if (wish->misbehaviour != SCEP_TWO_CHALLENGES)
        return true;
    /* OpenSSL merges values of one type into one attribute: two values in it. */
    X509_ATTRIBUTE *both = X509_REQ_delete_attr(
        request, X509_REQ_get_attr_by_NID(request, NID_pkcs9_challengePassword, -1));
    bool done = both &&
                X509_ATTRIBUTE_set1_data(both, V_ASN1_PRINTABLESTRING, "B3333333", 8) == 1 &&
                X509_REQ_add1_attr(request, both) == 1;
    X509_ATTRIBUTE_free(both);
    return done;
}

static bool usage_add(STACK_OF(X509_EXTENSION) * *extensions, unsigned usage)
{
    ASN1_BIT_STRING *bits = mem_must(ASN1_BIT_STRING_new());
    if (usage & USAGE_SIGNING)
        ASN1_BIT_STRING_set_bit(bits, 0, 1); /* digitalSignature, RFC 5280 4.2.1.3 */
    if (usage & USAGE_ENCRYPTION)
        ASN1_BIT_STRING_set_bit(bits, 2, 1); /* keyEncipherment */
    bool done =
        usage == 0 || X509V3_add1_i2d(extensions, NID_key_usage, bits, 1, X509V3_ADD_DEFAULT) == 1;
    ASN1_BIT_STRING_free(bits);
    return done;
}

static GENERAL_NAMES *stranger_make(void)
{
    GENERAL_NAMES *names = mem_must(GENERAL_NAMES_new());
    GENERAL_NAME *name = mem_must(GENERAL_NAME_new());
    ASN1_IA5STRING *text = mem_must(ASN1_IA5STRING_new());
    if (!ASN1_STRING_set(text, "urn:uuid:00000000-0000-4000-8000-000000000000", -1))
        bug("out of memory in a subject alternative name");
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    sk_GENERAL_NAME_push(names, name);
    return names;
}

static bool extensions_add(X509_REQ *request, const struct scep_wish *wish)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    CLEANUP(GENERAL_NAMES_free_at) GENERAL_NAMES *other = NULL;
    GENERAL_NAMES *names = wish->alternatives;
    if (wish->misbehaviour == SCEP_OTHER_SAN)
        names = other = stranger_make();
    bool done = usage_add(&extensions, wish->key_usage);
    if (done && names)
        done =
            X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    if (done && extensions)
        done = X509_REQ_add_extensions(request, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return done;
}

static bool subject_set(X509_REQ *request, const struct scep_wish *wish)
{
    if (wish->misbehaviour != SCEP_OTHER_SUBJECT)
        return X509_REQ_set_subject_name(request, wish->subject) == 1;
    CLEANUP(X509_NAME_free_at) X509_NAME *other = mem_must(X509_NAME_new());
    return X509_NAME_add_entry_by_txt(other, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)"somebody else", -1, -1, 0) == 1 &&
           X509_REQ_set_subject_name(request, other) == 1;
}

bool scep_request_make(void *owner, const struct scep_transaction *transaction,
                       const struct scep_wish *wish, struct bytes *out, struct err *err)
{
    CLEANUP(X509_REQ_free_at) X509_REQ *request = mem_must(X509_REQ_new());
    uint8_t *der = NULL;
    if (!X509_REQ_set_version(request, 0) || !subject_set(request, wish) ||
        !X509_REQ_set_pubkey(request, transaction->key) || !challenges_add(request, wish) ||
        !extensions_add(request, wish) ||
        X509_REQ_sign(request, transaction->key, EVP_sha256()) <= 0)
        return openssl_failed(err, ERR_INTERNAL, "making a certificate request");
    int size = i2d_X509_REQ(request, &der);
    if (size < 0)
        return openssl_failed(err, ERR_INTERNAL, "encoding a certificate request");
    *out = bytes_copy(owner, (struct bytes){der, (size_t)size});
    OPENSSL_free(der);
    return true;
}
