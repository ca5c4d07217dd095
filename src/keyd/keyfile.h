/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates in keyd's directory: keys sealed under the master secret, certificates as
 * PEM that every tool reads. */
#pragma once

#include "keyd/seal.h"
#include "pki/openssl.h"

/* `about` is bound to the sealed key: one file cannot take another's place. Mode 0400. */
MUST_CHECK bool keyfile_save_key(const char *path, const struct master *master, const char *about,
                                 EVP_PKEY *key, struct err *err);
/* ERR_NOT_FOUND when there is no file. The caller frees *out. */
MUST_CHECK bool keyfile_load_key(const char *path, const struct master *master, const char *about,
                                 EVP_PKEY **out, struct err *err);
MUST_CHECK bool keyfile_save_certificate(const char *path, X509 *certificate, struct err *err);
MUST_CHECK bool keyfile_load_certificate(const char *path, X509 **out, struct err *err);
