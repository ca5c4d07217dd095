/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The issuing CA under another root: its request, and the certificate that came of it.  For the
 * command line, while no key process runs; the key stays where it is.
 */
#pragma once

#include "keyd/keyd.h"

#define EXTERNAL_CHAIN_MAX 32768 /* bytes of PEM */

/* A PKCS#10 request for the issuing CA's key and name, PEM; belongs to owner. Of the next
 * authority, where one was prepared. A first call makes the authority. Becomes key_user when
 * started as root. ERR_CONFLICT: a key process runs. */
MUST_CHECK bool keyd_external_request(void *owner, const struct keyd_options *options, char **pem,
                                      struct err *err);
/* Take the issuing CA's certificate and the root that made it, PEM in any order. What was issued
 * before stays good below it: same key, same name. The own root's key and both certificates
 * are kept as *.own. ERR_BAD_INPUT, ERR_PRECONDITION: says what is wrong with the chain; nothing
 * was changed. */
MUST_CHECK bool keyd_external_import(const struct keyd_options *options, struct bytes chain_pem,
                                     int64_t now, struct err *err);
