/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of simulated authorities: for services' TLS, push certificates, devices. */
#pragma once

#include "sim/openssl.h"

struct certificate_plan {
    const char *common_name, *uid;
    const char *usage, *extended_usage, *alternatives, *constraints; /* OpenSSL's spelling */
    EVP_PKEY *subject_key;
    X509 *issuer; /* NULL: signs itself */
    EVP_PKEY *issuer_key;
};
/* Valid for a year. The caller frees *out. */
MUST_CHECK bool certificate_make(const struct certificate_plan *plan, X509 **out, struct err *err);
MUST_CHECK bool certificate_save(const char *path, X509 *certificate, struct err *err);
/* <directory>/<name>.pem and .key */
MUST_CHECK bool pair_save(const char *directory, const char *name, X509 *certificate, EVP_PKEY *key,
                          struct err *err);
/* ca.pem, ca.key, server.pem and server.key of a service on localhost; the directory is made. */
MUST_CHECK bool service_authority_make(const char *directory, const char *name, struct err *err);
