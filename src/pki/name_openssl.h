/* SPDX-License-Identifier: Apache-2.0 */
/* Names out of OpenSSL's structures: for the parsers of this folder. */
#pragma once

#include "pki/name.h"
#include "pki/openssl.h"

MUST_CHECK bool name_read(void *owner, const X509_NAME *name, struct name *out, struct err *err);
/* Kinds that we do not know (directoryName, registeredID, other otherNames) are refused. */
MUST_CHECK bool alternatives_read(void *owner, const GENERAL_NAMES *names, struct alternatives *out,
                                  struct err *err);
/* Any string type as UTF-8, without NUL, at most limit bytes. */
MUST_CHECK bool string_read(void *owner, const ASN1_STRING *string, size_t limit, char **out,
                            struct err *err);
char *object_digits(void *owner, const ASN1_OBJECT *object); /* "1.2.840..." */
/* The magnitude in lower-case hex without leading zero bytes; "00" for zero. */
char *serial_hex(void *owner, const ASN1_INTEGER *serial);
