/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "pki/authorities.h"
#include "pki/name_openssl.h"
#include "pki/scep_layers.h"

/* What parsing is about: the message being filled, and with whom. */
struct parsing {
    void *owner;
    struct keyd *keyd;
    const struct authorities *authorities;
    bool with_legacy; /* SHA-1 and 3DES */
    struct scep_signed outer;
    struct scep_message *message;
};

/* The message will be answered FAILURE. Returns true: there is an answer. */
static bool fail(struct parsing *parsing, enum scep_failure failure, const char *why)
{
    parsing->message->failure = failure;
    parsing->message->why = mem_text(parsing->owner, why);
    return true;
}

/* ---- the signed layer ---- */

static const EVP_MD *digest_of(enum keyd_digest digest)
{
    switch (digest) {
    case KEYD_SHA256: return EVP_sha256();
    case KEYD_SHA384: return EVP_sha384();
    case KEYD_SHA512: return EVP_sha512();
    case KEYD_SHA1: return EVP_sha1();
    }
    bug("no such digest: %d", (int)digest);
}

bool scep_signed_verify(const struct scep_signed *message, struct bytes spki, struct err *err)
{
    const EVP_MD *digest = digest_of(message->digest);
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    static const uint8_t nothing[1];
    const uint8_t *content = message->content.size ? message->content.data : nothing;
    if (EVP_Digest(content, message->content.size, hash, &size, digest, NULL) != 1)
        return openssl_fail(err, ERR_INTERNAL, "digest");
    if (!bytes_equal(message->message_digest, (struct bytes){hash, size}))
        return err_set(err, ERR_UNAUTHENTICATED, "the digest is not the content's");
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = DER_READ(d2i_PUBKEY, spki);
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!key || !context || EVP_DigestVerifyInit(context, NULL, digest, NULL, key) != 1 ||
        EVP_DigestVerify(context, message->signature.data, message->signature.size,
                         message->attributes.data, message->attributes.size) != 1)
        return openssl_fail(err, ERR_UNAUTHENTICATED, "the signature is not the signer's");
    return true;
}

/* The signer's certificate is in the message; it only carries the key (its dates, its chain and
 * its extensions are whatever the device's clock and taste made of them). */
static bool signer_find(struct parsing *parsing, struct err *err)
{
    struct scep_message *message = parsing->message;
    const struct scep_signed *outer = &parsing->outer;
    for (size_t i = 0; i < outer->certificate_count; i++) {
        struct certificate candidate;
        struct key_facts facts;
        if (!certificate_parse(parsing->owner, outer->certificates[i], &candidate, err))
            return false;
        if (!scep_identifier_matches(&outer->signer, &candidate))
            continue;
        if (!key_check(candidate.spki, &facts, err) ||
            facts.kind != KEY_RSA) /* no reply possible */
            return err_set(err, ERR_BAD_INPUT, "the signer has no RSA key of 2048 to 4096 bits");
        message->signer = candidate;
        message->signer_is_ours = authority_of_leaf(parsing->authorities, candidate.der) != NULL;
        return true;
    }
    return err_set(err, ERR_BAD_INPUT, "the signer's certificate is not in the message");
}

/* ---- the encrypted layer ---- */

/* NULL: not to this one. */
static const struct bytes *wrapped_of(void *owner, const struct scep_envelope *envelope,
                                      const struct authority *authority)
{
    struct certificate registration;
    struct err ignored;
    if (!authority_signs(authority) ||
        !certificate_parse(owner, authority->registration, &registration, &ignored))
        return NULL;
    for (size_t i = 0; i < envelope->recipient_count; i++)
        if (scep_identifier_matches(&envelope->recipients[i].id, &registration))
            return &envelope->recipients[i].wrapped;
    return NULL;
}

/* To the RA of which generation, whose place in the message is set then; NULL: to none. */
static const struct bytes *wrapped_find(struct parsing *parsing,
                                        const struct scep_envelope *envelope)
{
    const struct authorities *all = parsing->authorities;
    for (size_t i = all->count; i-- > 0;) {
        const struct bytes *wrapped = wrapped_of(parsing->owner, envelope, &all->list[i]);
        if (!wrapped)
            continue;
        parsing->message->authority = &all->list[i];
        return wrapped;
    }
    return NULL;
}

/* Open the envelope. False: nothing can be answered (keyd is gone). A failure in the message
 * otherwise; a wrong key, a wrong padding and wrong content look the same from outside. */
static bool envelope_open(struct parsing *parsing, struct bytes *plain, struct err *err)
{
    struct scep_envelope envelope;
    struct bytes key;
    struct err why;
    void *owner = parsing->owner;
    if (!scep_envelope_parse(owner, parsing->outer.content, parsing->with_legacy, &envelope, &why))
        return fail(parsing, why.kind == ERR_FORBIDDEN ? SCEP_BAD_ALGORITHM : SCEP_BAD_CHECK,
                    why.text);
    parsing->message->cipher = envelope.cipher;
    const struct bytes *wrapped = wrapped_find(parsing, &envelope);
    if (!wrapped)
        return fail(parsing, SCEP_BAD_CHECK, "encrypted to somebody else");
    if (!keyd_unwrap(parsing->keyd, owner, parsing->message->authority->number, *wrapped,
                     scep_cipher_key_size(envelope.cipher), &key, &why)) {
        if (why.kind != ERR_BAD_INPUT) {
            *err = why;
            return false;
        }
        return fail(parsing, SCEP_BAD_CHECK, why.text);
    }
    if (!scep_envelope_open(owner, &envelope, key, plain, &why))
        return fail(parsing, SCEP_BAD_CHECK, "the envelope does not open to a request");
    return true;
}

/* ---- the content ---- */

static bool keys_equal(struct bytes a, struct bytes b)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *first = DER_READ(d2i_PUBKEY, a);
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *second = DER_READ(d2i_PUBKEY, b);
    bool equal = first && second && EVP_PKEY_eq(first, second) == 1;
    ERR_clear_error();
    return equal;
}

static void request_read(struct parsing *parsing, struct bytes content)
{
    struct scep_message *message = parsing->message;
    struct err why;
    if (!(parsing->with_legacy ? request_parse_legacy : request_parse)(parsing->owner, content,
                                                                       &message->request, &why)) {
        /* What is no request at all is answered like an envelope that does not open: otherwise
         * the difference would tell a sender of altered ciphertext whether its padding fits. */
        bool is_request = why.kind == ERR_PRECONDITION || why.kind == ERR_FORBIDDEN;
        (void)fail(parsing, is_request ? SCEP_BAD_REQUEST : SCEP_BAD_CHECK, why.text);
        return;
    }
    if (message->request.key.kind != KEY_RSA)
        (void)fail(parsing, SCEP_BAD_REQUEST, "SCEP is for RSA keys");
    else if (!message->signer_is_ours && !keys_equal(message->signer.spki, message->request.spki))
        (void)fail(parsing, SCEP_BAD_CHECK,
                   "the message is signed by another key than the request");
}

/* IssuerAndSubject, or IssuerAndSerialNumber. */
static void question_read(struct parsing *parsing, struct bytes content)
{
    struct scep_message *message = parsing->message;
    struct err why;
    struct reader outer = reader_of(content);
    struct reader pair = reader_of(der_take(&outer, DER_SEQUENCE));
    struct der_element issuer = der_next(&pair), second = der_next(&pair);
    bool by_serial = message->type != SCEP_POLL;
    if (!reader_done(&outer) || !reader_done(&pair) || issuer.tag != DER_SEQUENCE ||
        second.tag != (by_serial ? DER_INTEGER : DER_SEQUENCE)) {
        (void)fail(parsing, SCEP_BAD_CHECK, "the envelope does not open to a question");
        return;
    }
    message->issuer_der = issuer.whole;
    if (!by_serial && !name_parse(parsing->owner, second.whole, &message->subject, &why))
        (void)fail(parsing, SCEP_BAD_REQUEST, why.text);
    CLEANUP(ASN1_INTEGER_free_at)
    ASN1_INTEGER *serial = by_serial ? DER_READ(d2i_ASN1_INTEGER, second.whole) : NULL;
    if (serial)
        message->serial = serial_hex(parsing->owner, serial);
    else if (by_serial)
        (void)fail(parsing, SCEP_BAD_REQUEST, "not a serial number");
}

static bool content_read(struct parsing *parsing, struct err *err)
{
    struct bytes content = NO_BYTES;
    struct scep_message *message = parsing->message;
    if (!envelope_open(parsing, &content, err))
        return false;
    if (message->failure != SCEP_NO_FAILURE)
        return true;
    if (message->type == SCEP_REQUEST || message->type == SCEP_RENEWAL)
        request_read(parsing, content);
    else
        question_read(parsing, content);
    return true;
}

/* Every type that is answered; UpdateReq (18) and all others never get near a request. */
static bool type_is_known(int type)
{
    return type == SCEP_RENEWAL || type == SCEP_REQUEST || type == SCEP_POLL ||
           type == SCEP_GET_CERTIFICATE || type == SCEP_GET_CRL;
}

static bool is_digest_accepted(const struct parsing *parsing)
{
    const struct scep_signed *outer = &parsing->outer;
    return outer->is_digest_known && (outer->digest != KEYD_SHA1 || parsing->with_legacy);
}

static bool message_read(struct parsing *parsing, struct err *err)
{
    struct scep_message *message = parsing->message;
    const struct scep_signed *outer = &parsing->outer;
    struct err why;
    if (!type_is_known(message->type))
        return fail(parsing, SCEP_BAD_REQUEST, "a message type that is not served");
    if (!is_digest_accepted(parsing))
        return fail(parsing, SCEP_BAD_ALGORITHM, "signed with a digest that is not accepted");
    if (!scep_signed_verify(outer, message->signer.spki, &why))
        return fail(parsing, SCEP_BAD_CHECK, why.text);
    if (outer->content.size == 0)
        return fail(parsing, SCEP_BAD_REQUEST, "a message without content");
    return content_read(parsing, err);
}

bool scep_parse(void *owner, struct bytes body, struct keyd *keyd,
                const struct authorities *authorities, bool with_legacy, struct scep_message *out,
                struct err *err)
{
    struct scep_message message = {.failure = SCEP_NO_FAILURE,
                                   .cipher = SCEP_AES128,
                                   .authority = authority_of_role(authorities, AUTHORITY_CURRENT)};
    struct parsing parsing = {.owner = owner,
                              .keyd = keyd,
                              .authorities = authorities,
                              .with_legacy = with_legacy,
                              .message = &message};
    if (!scep_prefilter(owner, body, &parsing.outer, err))
        return false;
    message.type = parsing.outer.type;
    message.sender_nonce = parsing.outer.sender_nonce;
    message.digest = is_digest_accepted(&parsing) ? parsing.outer.digest : KEYD_SHA256;
    message.transaction = bytes_to_text(owner, parsing.outer.transaction);
    if (!signer_find(&parsing, err) || !message_read(&parsing, err))
        return false;
    *out = message;
    return true;
}
