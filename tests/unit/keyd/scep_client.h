/* SPDX-License-Identifier: Apache-2.0 */
/* A SCEP client out of OpenSSL's CMS: it shares no code with what it tests, and can misbehave. */
#pragma once

#include "pki/openssl.h"
#include "tests/unit/keyd/process.h"

struct client {
    EVP_PKEY *key;
    X509 *certificate; /* self-signed, or an issued one in a renewal */
};

struct client *client_new(void *owner, int bits); /* a fresh RSA key */
struct client *client_from(void *owner, EVP_PKEY *key);
/* As some platforms write it: with a critical identifier of an authority that is nobody. */
struct client *client_odd(void *owner, EVP_PKEY *key);

struct csr_wish { /* zero is a good request for "phone 1" without challenge */
    const char *challenge;
    int challenge_type; /* V_ASN1_..., 0: PrintableString */
    bool two_challenges, is_authority, ask_usage, sha1, broken;
};
struct bytes client_csr(void *owner, struct client *client, const struct csr_wish *wish);

enum recipient_kind { BY_RSA_KEY, BY_FOREIGN_KEY, BY_OAEP, BY_AGREEMENT, BY_KEK, BY_PASSWORD };

struct message_wish {               /* zero is a good PKCSReq */
    int type;                       /* 0: 19 */
    const EVP_MD *digest;           /* NULL: SHA-256 */
    const EVP_CIPHER *cipher;       /* NULL: AES-128 */
    struct bytes recipient;         /* certificate; empty: the registration authority */
    enum recipient_kind recipients; /* BY_FOREIGN_KEY: named as the recipient, not its key */
    size_t nonce_size;              /* 0: 16 */
    int transaction_type;           /* V_ASN1_..., 0: PrintableString */
    bool no_type, no_nonce, no_transaction, two_transactions;
    bool no_content;    /* the digest is that of an envelope that is not there */
    bool empty_content; /* the digest is that of nothing */
    bool no_attributes, two_signers, no_certificate, ber;
    struct bytes raw_content; /* eContent as it is, in place of an envelope */
};
struct bytes client_envelope(void *owner, struct bytes recipient, struct bytes content,
                             const EVP_CIPHER *cipher, enum recipient_kind kind);
struct bytes client_message(void *owner, struct client *client, const struct authority *authority,
                            struct bytes content, const struct message_wish *wish);

struct client_reply {
    char status, failure; /* '0', '2', '3'; 0 without failInfo */
    struct bytes recipient_nonce, sender_nonce;
    char *transaction;
    X509 *leaf; /* first certificate of a SUCCESS, or NULL */
    X509_CRL *crl;
};
/* Verify the signature of the registration authority and open the envelope. */
void client_read(void *owner, struct client *client, const struct authority *authority,
                 struct bytes der, struct client_reply *out);
