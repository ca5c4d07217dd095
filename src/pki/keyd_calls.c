/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of keyd.h as messages; what they mean is in src/keyd. */
#include "base/mem.h"
#include "pki/authorities.h"
#include "pki/keyd_client.h"

static struct buffer request_new(void *owner)
{
    struct buffer request;
    buffer_init(&request, owner, WIRE_MESSAGE_MAX);
    return request;
}

bool keyd_ping(struct keyd *keyd, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer request = request_new(scratch);
    struct reader answer;
    return keyd_call(keyd, scratch, KEYD_OP_PING, &request, &answer, err) &&
           keyd_answer_done(&answer, err);
}

static bool seal_call(struct keyd *keyd, void *owner, enum keyd_operation operation,
                      enum keyd_class class, const char *about, struct bytes in, struct bytes *out,
                      struct err *err)
{
    struct buffer request = request_new(owner);
    wire_u8(&request, (uint8_t) class);
    wire_text(&request, about);
    wire_bytes(&request, in);
    return keyd_call_bytes(keyd, owner, operation, &request, out, err);
}

bool keyd_seal(struct keyd *keyd, void *owner, enum keyd_class class, const char *about,
               struct bytes plain, struct bytes *sealed, struct err *err)
{
    return seal_call(keyd, owner, KEYD_OP_SEAL, class, about, plain, sealed, err);
}

bool keyd_open(struct keyd *keyd, void *owner, enum keyd_class class, const char *about,
               struct bytes sealed, struct bytes *plain, struct err *err)
{
    return seal_call(keyd, owner, KEYD_OP_OPEN, class, about, sealed, plain, err);
}

bool keyd_mac(struct keyd *keyd, enum keyd_mac use, struct bytes message, uint8_t out[32],
              struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer request = request_new(scratch);
    struct bytes mac;
    wire_u8(&request, (uint8_t)use);
    wire_bytes(&request, message);
    if (!keyd_call_bytes(keyd, scratch, KEYD_OP_MAC, &request, &mac, err))
        return false;
    if (mac.size != 32)
        return err_set(err, ERR_INTERNAL, "the key process answers in an unknown way");
    memcpy(out, mac.data, 32);
    return true;
}

static void authority_take(struct reader *answer, struct authority *out)
{
    out->number = wire_get_i64(answer);
    out->role = (enum authority_role)reader_u8(answer);
    out->since = wire_get_i64(answer);
    struct bytes *const fields[] = {&out->root, &out->issuing, &out->registration, &out->ocsp,
                                    &out->profile};
    for (size_t i = 0; i < COUNT(fields); i++)
        *fields[i] = wire_get_bytes(answer, WIRE_FIELD_MAX);
}

bool keyd_authorities(struct keyd *keyd, void *owner, struct authorities *out, struct err *err)
{
    struct buffer request = request_new(owner);
    struct reader answer;
    if (!keyd_call(keyd, owner, KEYD_OP_AUTHORITY, &request, &answer, err))
        return false;
    struct authorities found = {.tls_number = wire_get_i64(&answer)};
    uint32_t count = reader_u32(&answer);
    found.count = count > KEYD_AUTHORITIES_MAX ? 0 : count;
    struct authority *list = mem_array(owner, struct authority, found.count + 1);
    for (size_t i = 0; i < found.count; i++)
        authority_take(&answer, &list[i]);
    if (!keyd_answer_done(&answer, err))
        return false;
    found.list = list;
    *out = found;
    return true;
}

bool keyd_authority(struct keyd *keyd, void *owner, struct authority *out, struct err *err)
{
    struct authorities all;
    if (!keyd_authorities(keyd, owner, &all, err))
        return false;
    const struct authority *current = authority_of_role(&all, AUTHORITY_CURRENT);
    if (!current)
        return err_set(err, ERR_INTERNAL, "the key process knows no current authority");
    *out = *current;
    return true;
}

bool keyd_issue(struct keyd *keyd, void *owner, const struct issue_fields *fields,
                struct bytes *der, struct err *err)
{
    struct buffer request = request_new(owner);
    wire_i64(&request, fields->authority);
    wire_u8(&request, (uint8_t)fields->purpose);
    wire_text(&request, fields->common_name);
    wire_text(&request, fields->organization);
    wire_texts(&request, fields->san_dns);
    wire_texts(&request, fields->san_ip);
    wire_text(&request, fields->san_uri);
    wire_bytes(&request, fields->spki);
    wire_bytes(&request, BYTES_OF(fields->serial));
    wire_i64(&request, fields->not_before);
    wire_i64(&request, fields->not_after);
    wire_text(&request, fields->crl_url);
    wire_text(&request, fields->ocsp_url);
    wire_text(&request, fields->issuer_url);
    return keyd_call_bytes(keyd, owner, KEYD_OP_ISSUE, &request, der, err);
}

bool keyd_unwrap(struct keyd *keyd, void *owner, int64_t authority, struct bytes encrypted,
                 size_t size, struct bytes *key, struct err *err)
{
    struct buffer request = request_new(owner);
    wire_i64(&request, authority);
    wire_u32(&request, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
    wire_bytes(&request, encrypted);
    return keyd_call_bytes(keyd, owner, KEYD_OP_UNWRAP, &request, key, err);
}

bool keyd_sign_reply(struct keyd *keyd, void *owner, int64_t authority, struct bytes attributes,
                     enum keyd_digest digest, struct bytes *signature, struct err *err)
{
    struct buffer request = request_new(owner);
    wire_i64(&request, authority);
    wire_u8(&request, (uint8_t)digest);
    wire_bytes(&request, attributes);
    return keyd_call_bytes(keyd, owner, KEYD_OP_SIGN_REPLY, &request, signature, err);
}

bool keyd_sign_profile(struct keyd *keyd, void *owner, int64_t authority, struct bytes content,
                       struct bytes *cms, struct err *err)
{
    struct buffer request = request_new(owner);
    wire_i64(&request, authority);
    wire_bytes(&request, content);
    return keyd_call_bytes(keyd, owner, KEYD_OP_SIGN_PROFILE, &request, cms, err);
}

bool keyd_sign_next(struct keyd *keyd, void *owner, struct bytes *cms, struct err *err)
{
    struct buffer request = request_new(owner);
    return keyd_call_bytes(keyd, owner, KEYD_OP_SIGN_NEXT, &request, cms, err);
}

// NOLINTNEXTLINE(readability-function-size): a list, its length and its times
bool keyd_sign_ocsp(struct keyd *keyd, void *owner, const struct ocsp_single *singles, size_t count,
                    struct bytes nonce, int64_t this_update, int64_t next_update, struct bytes *der,
                    struct err *err)
{
    struct buffer request = request_new(owner);
    wire_i64(&request, this_update);
    wire_i64(&request, next_update);
    wire_bytes(&request, nonce);
    wire_u32(&request, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_bytes(&request, singles[i].cert_id);
        wire_u8(&request, (uint8_t)singles[i].state);
        wire_i64(&request, singles[i].revoked_at);
        wire_u8(&request, (uint8_t)singles[i].reason);
    }
    return keyd_call_bytes(keyd, owner, KEYD_OP_SIGN_OCSP, &request, der, err);
}

bool keyd_sign_crl(struct keyd *keyd, void *owner, const struct crl_fields *fields,
                   struct bytes *der, struct err *err)
{
    struct buffer request = request_new(owner);
    wire_i64(&request, fields->authority);
    wire_i64(&request, fields->number);
    wire_i64(&request, fields->this_update);
    wire_i64(&request, fields->next_update);
    wire_texts(&request, fields->urls);
    wire_i64(&request, fields->base);
    wire_texts(&request, fields->fresh_urls);
    wire_u32(&request, fields->count > UINT32_MAX ? UINT32_MAX : (uint32_t)fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        wire_bytes(&request, fields->entries[i].serial);
        wire_i64(&request, fields->entries[i].revoked_at);
        wire_u8(&request, (uint8_t)fields->entries[i].reason);
    }
    return keyd_call_bytes(keyd, owner, KEYD_OP_SIGN_CRL, &request, der, err);
}

/* An answer of two fields: what the world may see, and a sealed key. */
static bool pair_take(struct reader *answer, struct bytes *shown, struct bytes *sealed,
                      struct err *err)
{
    struct bytes first = wire_get_bytes(answer, WIRE_FIELD_MAX);
    struct bytes second = wire_get_bytes(answer, WIRE_FIELD_MAX);
    if (!keyd_answer_done(answer, err))
        return false;
    *shown = first;
    *sealed = second;
    return true;
}

bool keyd_make_request(struct keyd *keyd, void *owner, const char *common_name, const char *email,
                       struct bytes *request, struct bytes *sealed_key, struct err *err)
{
    struct buffer ask = request_new(owner);
    struct reader answer;
    wire_text(&ask, common_name);
    wire_text(&ask, email);
    return keyd_call(keyd, owner, KEYD_OP_MAKE_REQUEST, &ask, &answer, err) &&
           pair_take(&answer, request, sealed_key, err);
}

bool keyd_make_recipient(struct keyd *keyd, void *owner, const char *common_name,
                         struct bytes *certificate, struct bytes *sealed_key, struct err *err)
{
    struct buffer ask = request_new(owner);
    struct reader answer;
    wire_text(&ask, common_name);
    return keyd_call(keyd, owner, KEYD_OP_MAKE_RECIPIENT, &ask, &answer, err) &&
           pair_take(&answer, certificate, sealed_key, err);
}

bool keyd_recipient_unwrap(struct keyd *keyd, void *owner, const struct recipient_key *recipient,
                           struct bytes encrypted, size_t size, struct bytes *key, struct err *err)
{
    struct buffer request = request_new(owner);
    wire_text(&request, recipient->about);
    wire_bytes(&request, recipient->sealed);
    wire_u32(&request, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
    wire_bytes(&request, encrypted);
    return keyd_call_bytes(keyd, owner, KEYD_OP_RECIPIENT_UNWRAP, &request, key, err);
}

bool keyd_tls_identities(struct keyd *keyd, void *owner, const char *const *names,
                         struct tls_identity out[2], struct err *err)
{
    struct buffer request = request_new(owner);
    struct reader answer;
    wire_texts(&request, names);
    if (!keyd_call(keyd, owner, KEYD_OP_TLS_IDENTITIES, &request, &answer, err))
        return false;
    struct tls_identity both[2];
    for (size_t i = 0; i < COUNT(both); i++) {
        both[i].certificate_pem = wire_get_bytes(&answer, WIRE_FIELD_MAX);
        both[i].key_pem = wire_get_bytes(&answer, WIRE_FIELD_MAX);
    }
    if (!keyd_answer_done(&answer, err))
        return false;
    memcpy(out, both, sizeof(both));
    return true;
}

static void audit_request(struct buffer *request, int64_t position, const uint8_t hash[32],
                          int64_t at)
{
    wire_i64(request, position);
    wire_bytes(request, (struct bytes){hash, 32});
    wire_i64(request, at);
}

bool keyd_sign_audit(struct keyd *keyd, void *owner, int64_t position, const uint8_t hash[32],
                     int64_t at, struct bytes *signature, struct err *err)
{
    struct buffer request = request_new(owner);
    audit_request(&request, position, hash, at);
    return keyd_call_bytes(keyd, owner, KEYD_OP_SIGN_AUDIT, &request, signature, err);
}

bool keyd_verify_audit(struct keyd *keyd, int64_t position, const uint8_t hash[32], int64_t at,
                       struct bytes signature, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer request = request_new(scratch);
    struct reader answer;
    audit_request(&request, position, hash, at);
    wire_bytes(&request, signature);
    return keyd_call(keyd, scratch, KEYD_OP_VERIFY_AUDIT, &request, &answer, err) &&
           keyd_answer_done(&answer, err);
}

bool keyd_audit_head(struct keyd *keyd, int64_t *position, uint8_t hash[32], struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer request = request_new(scratch);
    struct reader answer;
    if (!keyd_call(keyd, scratch, KEYD_OP_AUDIT_HEAD, &request, &answer, err))
        return false;
    int64_t last = wire_get_i64(&answer);
    struct bytes value = wire_get_bytes(&answer, 32);
    if (!keyd_answer_done(&answer, err))
        return false;
    if (last > 0 && value.size != 32)
        return err_set(err, ERR_INTERNAL, "the key process answers in an unknown way");
    *position = last;
    if (last > 0)
        memcpy(hash, value.data, 32);
    return true;
}
