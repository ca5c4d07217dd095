/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL in our manners: handles released by CLEANUP(), DER as struct bytes, its error queue as a
 * struct err.  For the folders pki and keyd alone; no other header names an OpenSSL type.
 */
#pragma once

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ocsp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "pki/der.h"
#include "pki/digest.h"

DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free)
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free)
DEFINE_CLEANUP(BIGNUM *, BN_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free)
DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)
DEFINE_CLEANUP(EVP_KDF *, EVP_KDF_free)
DEFINE_CLEANUP(EVP_KDF_CTX *, EVP_KDF_CTX_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free)
DEFINE_CLEANUP(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free)
DEFINE_CLEANUP(BASIC_CONSTRAINTS *, BASIC_CONSTRAINTS_free)
DEFINE_CLEANUP(ASN1_BIT_STRING *, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(OCSP_BASICRESP *, OCSP_BASICRESP_free)
DEFINE_CLEANUP(OCSP_CERTID *, OCSP_CERTID_free)
DEFINE_CLEANUP(OCSP_REQUEST *, OCSP_REQUEST_free)
DEFINE_CLEANUP(OCSP_RESPONSE *, OCSP_RESPONSE_free)
DEFINE_CLEANUP(PKCS7 *, PKCS7_free)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(X509_CRL *, X509_CRL_free)
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free)
DEFINE_CLEANUP(X509_NAME *, X509_NAME_free)
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free)
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free)

static inline void x509_stack_free(STACK_OF(X509) * stack)
{
    sk_X509_free(stack);
}
DEFINE_CLEANUP(STACK_OF(X509) *, x509_stack_free)
static inline void x509_extensions_free(STACK_OF(X509_EXTENSION) * stack)
{
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
DEFINE_CLEANUP(STACK_OF(X509_EXTENSION) *, x509_extensions_free)

/* Fill err with `what` and OpenSSL's first reason, empty its queue, return false. */
bool openssl_fail(struct err *err, enum err_kind kind, const char *what);

/* Copy OpenSSL's allocation to owner and release it; an i2d that failed (size < 0) is a bug. */
struct bytes openssl_take(void *owner, unsigned char *der, int size);
#define DER_OF(owner, i2d, object)                                                                 \
    ({                                                                                             \
        unsigned char *der_ = NULL;                                                                \
        int size_ = i2d(object, &der_);                                                            \
        openssl_take(owner, der_, size_);                                                          \
    })
/* d2i of exactly these bytes, or NULL: trailing bytes are refused before OpenSSL sees them. */
#define DER_READ(d2i, in)                                                                          \
    ({                                                                                             \
        const unsigned char *at_ = (in).data;                                                      \
        der_is_whole(in) ? d2i(NULL, &at_, (long)(in).size) : NULL;                                \
    })
