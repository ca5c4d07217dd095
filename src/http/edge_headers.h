/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the edge tells us in headers: the client's certificate, its address and the request id.
 * Only headers from the edge's own socket count; the caller decides that.  Pure, fuzzed.
 */
#pragma once

#include "base/bytes.h"

#define EDGE_CERTIFICATE_SIZE 8192 /* bytes of DER */

/* nginx's $ssl_client_escaped_cert: one PEM block, percent-encoded. DER, belongs to owner. */
MUST_CHECK bool edge_certificate_escaped(void *owner, const char *value, struct bytes *out,
                                         struct err *err);
/* RFC 9440 2.1: DER as a structured-field byte sequence, ":base64:". */
MUST_CHECK bool edge_certificate_field(void *owner, const char *value, struct bytes *out,
                                       struct err *err);
bool edge_address_valid(const char *text); /* the characters of an IP address, at most 64 */
bool edge_id_valid(const char *text);      /* [A-Za-z0-9-], 1 to 64 */

/* Headers that only the edge may set: kept from handlers, ignored on other sockets. */
bool edge_header_reserved(const char *name);
