/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of a SCEP message, each of which can be fuzzed without a key.  They are walked as
 * tag, length and value before OpenSSL sees anything: what is not SignedData over data with one
 * RSA signer, or EnvelopedData with RSA recipients and AES-CBC, never gets further.
 */
#pragma once

#include "pki/scep.h"

#define SCEP_CERTIFICATES_MAX 8
#define SCEP_RECIPIENTS_MAX 4
#define SCEP_TRANSACTION_MAX 128
#define SCEP_NONCE_MIN 8 /* RFC 8894 says 16; devices with 8 exist */
#define SCEP_NONCE_MAX 64
#define SCEP_WRAPPED_MAX 512 /* bytes of an encrypted content key: RSA-4096 */

struct scep_identifier { /* IssuerAndSerialNumber */
    struct bytes issuer; /* Name, DER */
    struct bytes serial; /* content of the INTEGER */
};

struct scep_signed {      /* the outer layer; everything borrows from one normalised copy */
    struct bytes content; /* eContent; size 0 when absent */
    struct bytes certificates[SCEP_CERTIFICATES_MAX];
    size_t certificate_count;
    struct scep_identifier signer;
    bool is_digest_known; /* one that is accepted, and the signature algorithm fits it */
    enum keyd_digest digest;
    struct bytes attributes; /* signed attributes as the SET that is signed */
    struct bytes signature;
    int type;
    struct bytes transaction, sender_nonce, message_digest;
};
/* ERR_BAD_INPUT, ERR_TOO_LARGE: not a message that can be answered. */
MUST_CHECK bool scep_prefilter(void *owner, struct bytes body, struct scep_signed *out,
                               struct err *err);
/* Digest and signature of the outer layer under this SubjectPublicKeyInfo. */
MUST_CHECK bool scep_signed_verify(const struct scep_signed *message, struct bytes spki,
                                   struct err *err);

struct scep_envelope {
    struct {
        struct scep_identifier id;
        struct bytes wrapped; /* the encrypted content key */
    } recipients[SCEP_RECIPIENTS_MAX];
    size_t recipient_count;
    enum scep_cipher cipher;
    struct bytes iv, ciphertext;
};
/* ERR_BAD_INPUT: malformed; ERR_FORBIDDEN: an algorithm or kind of recipient not accepted; 3DES is
 * with_legacy. */
MUST_CHECK bool scep_envelope_parse(void *owner, struct bytes der, bool with_legacy,
                                    struct scep_envelope *out, struct err *err);
size_t scep_cipher_key_size(enum scep_cipher cipher); /* bytes */
MUST_CHECK bool scep_envelope_open(void *owner, const struct scep_envelope *envelope,
                                   struct bytes key, struct bytes *plain, struct err *err);
/* IssuerAndSerialNumber is this certificate's. */
bool scep_identifier_matches(const struct scep_identifier *id, const struct certificate *of);
