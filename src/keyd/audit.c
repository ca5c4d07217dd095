/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures over the head of the audit chain, and the memory of the last one: a chain that was cut
 * or written anew in the database is not signed again. */
#include "keyd/answer.h"

#define HASH_SIZE 32
#define AUDIT_SIGNATURE_MAX 128

struct head {
    int64_t position; /* 0: nothing was signed so far */
    struct bytes hash;
};

static void head_load(struct call *call, struct head *out)
{
    struct bytes value;
    *out = (struct head){0, NO_BYTES};
    if (!slots_load(call->owner, call->vault->audit, &value))
        return;
    struct reader in = reader_of(value);
    int64_t position = wire_get_i64(&in);
    struct bytes hash = wire_get_bytes(&in, HASH_SIZE);
    if (reader_done(&in) && hash.size == HASH_SIZE)
        *out = (struct head){position, hash};
}

static bool head_keep(struct call *call, const struct head *head, struct err *err)
{
    struct buffer value;
    struct bytes whole;
    buffer_init(&value, call->owner, 256);
    wire_i64(&value, head->position);
    wire_bytes(&value, head->hash);
    return buffer_done(&value, &whole, err) && slots_save(call->vault->audit, whole, err);
}

/* Kept before the signature is given away. */
static bool head_advance(struct call *call, const struct head *head, struct err *err)
{
    struct head last;
    head_load(call, &last);
    if (head->position < last.position)
        return err_set(err, ERR_CONFLICT, "entries of the audit up to %lld were signed before",
                       (long long)last.position);
    if (head->position > last.position)
        return head_keep(call, head, err);
    return bytes_equal(head->hash, last.hash) || head->position == 0 ||
           err_set(err, ERR_CONFLICT, "entry %lld of the audit was signed with another hash",
                   (long long)last.position);
}

bool answer_audit_head(struct call *call, struct err *err)
{
    struct head last;
    if (!call_read(call, err))
        return false;
    head_load(call, &last);
    wire_i64(call->out, last.position);
    wire_bytes(call->out, last.hash);
    return true;
}

/* What is signed: a prefix of its own, so that no other use of the key can be confused with it. */
static bool audit_read(struct call *call, struct head *head, struct buffer *message,
                       struct err *err)
{
    int64_t position = wire_get_i64(&call->in);
    struct bytes hash = wire_get_bytes(&call->in, HASH_SIZE);
    int64_t at = wire_get_i64(&call->in);
    if (!reader_ok(&call->in) || hash.size != HASH_SIZE || position < 0)
        return err_set(err, ERR_BAD_INPUT, "malformed request");
    *head = (struct head){position, hash};
    buffer_init(message, call->owner, 256);
    buffer_text(message, "muster audit head 1\n");
    wire_i64(message, position);
    buffer_add(message, hash);
    wire_i64(message, at);
    return true;
}

bool answer_sign_audit(struct call *call, struct err *err)
{
    struct head head;
    struct buffer message;
    uint8_t signature[AUDIT_SIGNATURE_MAX];
    size_t size = sizeof(signature);
    if (!audit_read(call, &head, &message, err) || !call_read(call, err) ||
        !head_advance(call, &head, err))
        return false;
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = call->vault->audit_key;
    if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &size, message.data, message.size) != 1)
        return openssl_fail(err, ERR_INTERNAL, "signing the audit head");
    wire_bytes(call->out, (struct bytes){signature, size});
    return true;
}

bool answer_verify_audit(struct call *call, struct err *err)
{
    struct head head;
    struct buffer message;
    if (!audit_read(call, &head, &message, err))
        return false;
    struct bytes signature = wire_get_bytes(&call->in, AUDIT_SIGNATURE_MAX);
    if (!call_read(call, err))
        return false;
    CLEANUP(EVP_MD_CTX_free_at) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = call->vault->audit_key;
    if (!context || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1)
        return openssl_fail(err, ERR_INTERNAL, "verifying the audit head");
    if (EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) != 1)
        return openssl_fail(err, ERR_BAD_INPUT, "the audit head was not signed here");
    return true;
}
