/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL as the simulator needs it: cleanups, errors, PEM files and fingerprints.  Written apart
 * from the server's own use of OpenSSL on purpose: the simulator is an independent witness.
 */
#pragma once

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "base/mem.h"

DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)
DEFINE_CLEANUP(X509_NAME *, X509_NAME_free)
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free)
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free)
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free)
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free)

struct certificates; /* a list of certificates; its owner frees them */

/* err with what failed and OpenSSL's own reason; returns false and empties OpenSSL's queue. */
bool openssl_failed(struct err *err, enum err_kind kind, const char *what);

struct certificates *certificates_new(void *owner);
void certificates_add(struct certificates *list, X509 *certificate); /* takes its own reference */
void certificates_add_all(struct certificates *list, const struct certificates *more);
STACK_OF(X509) * certificates_stack(const struct certificates *list); /* borrowed */
size_t certificates_count(const struct certificates *list);
X509 *certificates_get(const struct certificates *list, size_t index); /* borrowed */

/* Every CERTIFICATE block of a PEM text; at least one. */
MUST_CHECK bool certificates_parse(void *owner, struct bytes pem, struct certificates **out,
                                   struct err *err);
MUST_CHECK bool certificates_load(void *owner, const char *path, struct certificates **out,
                                  struct err *err);
struct bytes certificates_render(void *owner, const struct certificates *list); /* PEM */

/* One certificate in DER with nothing behind it; the caller frees it. */
MUST_CHECK bool certificate_parse_der(struct bytes der, X509 **out, struct err *err);
struct bytes certificate_der(void *owner, const X509 *certificate);
char *certificate_sha256(void *owner, const X509 *certificate); /* lower-case hex */
char *certificate_subject(void *owner, const X509 *certificate);
/* A chain from the certificate to one of the roots, by way of the others; valid now. */
MUST_CHECK bool certificate_chain_check(X509 *certificate, const struct certificates *others,
                                        const struct certificates *roots, struct err *err);

MUST_CHECK bool key_load(const char *path, EVP_PKEY **out, struct err *err);
MUST_CHECK bool key_save(const char *path, EVP_PKEY *key, struct err *err); /* mode 0600 */
MUST_CHECK bool key_make_rsa(unsigned bits, EVP_PKEY **out, struct err *err);

struct bytes bio_bytes(void *owner, BIO *memory); /* a copy of what a memory BIO holds */
