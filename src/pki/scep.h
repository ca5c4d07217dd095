/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP (RFC 8894) messages: bytes to a typed message and back.  No HTTP, no database, no policy,
 * and no key: what needs the registration authority's key is asked of keyd.
 *
 * One call of scep_parse() per body, then one of the scep_render functions.  The layers below it
 * are in scep_layers.h.
 */
#pragma once

#include "pki/certificate.h"
#include "pki/keyd.h"
#include "pki/request.h"

#define SCEP_MESSAGE_MAX 65536 /* bytes of a body; real ones have about 3,000 */
#define SCEP_QUERY_MAX 16384   /* bytes of a query: a request with RSA-4096, percent-encoded */

/* ---- the query of every request ---- */
enum scep_operation {
    SCEP_GET_CAPABILITIES = 1,
    SCEP_GET_AUTHORITY,
    SCEP_GET_NEXT_AUTHORITY,
    SCEP_PKI_OPERATION,
};
struct scep_query {
    enum scep_operation operation;
    const char *message; /* a CA identifier, or base64; NULL when absent */
};
/* The part behind '?'. ERR_BAD_INPUT: no or an unknown operation, doubled names. */
MUST_CHECK bool scep_query_parse(void *owner, struct bytes query, struct scep_query *out,
                                 struct err *err);
/* The message of a PKIOperation by GET: every spelling of base64 that clients use. */
MUST_CHECK bool scep_query_message(void *owner, const struct scep_query *query, struct bytes *out,
                                   struct err *err);

/* ---- answers that need no message ---- */
/* text/plain; for old clients, and where there is a next authority, with what these know */
const char *scep_capabilities(bool with_legacy, bool has_next);
/* application/x-x509-ca-ra-cert: registration authority, issuing CA and, if asked, root. */
struct bytes scep_authority_render(void *owner, const struct authority *authority, bool with_root);

/* ---- messages ---- */
enum scep_type {
    SCEP_CERT_REP = 3,
    SCEP_RENEWAL = 17,
    SCEP_REQUEST = 19,
    SCEP_POLL = 20,
    SCEP_GET_CERTIFICATE = 21,
    SCEP_GET_CRL = 22,
};
enum scep_cipher { SCEP_AES128 = 1, SCEP_AES192, SCEP_AES256, SCEP_DES3 };
enum scep_failure { /* failInfo, RFC 8894 3.2.1.4.5 */
                    SCEP_NO_FAILURE = -1,
                    SCEP_BAD_ALGORITHM = 0,
                    SCEP_BAD_CHECK = 1,
                    SCEP_BAD_REQUEST = 2,
                    SCEP_BAD_TIME = 3,
                    SCEP_BAD_CERTIFICATE = 4,
};

struct scep_message {
    int type;                /* enum scep_type; another number only with failure SCEP_BAD_REQUEST */
    const char *transaction; /* printable ASCII, 1 to 128 characters; not unique by itself */
    struct bytes sender_nonce;
    enum keyd_digest digest; /* of the reply: the client's, or SHA-256 */
    enum scep_cipher cipher; /* of the reply: the client's, or AES-128 */
    struct certificate signer;
    bool signer_is_ours; /* signed by an issuing CA: it means renewal, whatever the type.  Whether
                          * it is known, valid and not revoked is the caller's to decide */
    const struct authority *authority;  /* whose RA was asked and is to answer: the current one, or
                                         * an earlier one. Borrowed from those that were given */
    struct certificate_request request; /* SCEP_REQUEST, SCEP_RENEWAL */
    struct bytes issuer_der;            /* SCEP_POLL, SCEP_GET_CERTIFICATE, SCEP_GET_CRL: a Name */
    struct name subject;                /* SCEP_POLL */
    const char *serial;                 /* SCEP_GET_CERTIFICATE, SCEP_GET_CRL: lower-case hex */
    enum scep_failure failure; /* what to answer at once; SCEP_NO_FAILURE: the message is good */
    const char *why;           /* for the log and the console, never for the client */
};

/* Belongs to owner. False means that no SCEP reply is possible: ERR_BAD_INPUT and ERR_TOO_LARGE
 * are HTTP 400, ERR_UNAVAILABLE (keyd) 503. True with a failure: answer scep_render_failure().
 * A message without failure is signed by its signer, was encrypted to us, and its request (if any)
 * is signed by its own key, which is the signer's key unless signer_is_ours.
 * with_legacy: for clients that know SHA-1 and 3DES alone; they are answered with these. Single DES
 * and MD5 are never accepted. */
MUST_CHECK bool scep_parse(void *owner, struct bytes body, struct keyd *keyd,
                           const struct authorities *authorities, bool with_legacy,
                           struct scep_message *out, struct err *err);

/* application/x-pki-message, signed by the RA of `authority`. SUCCESS with a certificate and the CA
 * that issued it, encrypted to the signer; SUCCESS with a CRL; FAILURE and PENDING without content.
 */
MUST_CHECK bool scep_render_success(void *owner, struct keyd *keyd,
                                    const struct authority *authority,
                                    const struct scep_message *message, struct bytes certificate,
                                    struct bytes issuing, struct bytes *out, struct err *err);
MUST_CHECK bool scep_render_crl(void *owner, struct keyd *keyd, const struct authority *authority,
                                const struct scep_message *message, struct bytes crl,
                                struct bytes *out, struct err *err);
MUST_CHECK bool scep_render_failure(void *owner, struct keyd *keyd,
                                    const struct authority *authority,
                                    const struct scep_message *message, enum scep_failure failure,
                                    struct bytes *out, struct err *err);
MUST_CHECK bool scep_render_pending(void *owner, struct keyd *keyd,
                                    const struct authority *authority,
                                    const struct scep_message *message, struct bytes *out,
                                    struct err *err);
