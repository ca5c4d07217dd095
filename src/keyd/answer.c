/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/answer.h"

#define KIB ((size_t)1024)

static const struct operation {
    size_t limit; /* bytes of payload */
    bool (*answer)(struct call *call, struct err *err);
} operations[KEYD_OP_COUNT] = {
    [KEYD_OP_PING] = {0, answer_ping},
    [KEYD_OP_SEAL] = {260 * KIB, answer_seal},
    [KEYD_OP_OPEN] = {260 * KIB, answer_open},
    [KEYD_OP_MAC] = {8 * KIB, answer_mac},
    [KEYD_OP_AUTHORITY] = {0, answer_authority},
    [KEYD_OP_ISSUE] = {32 * KIB, answer_issue},
    [KEYD_OP_UNWRAP] = {2 * KIB, answer_unwrap},
    [KEYD_OP_SIGN_REPLY] = {4 * KIB, answer_sign_reply},
    [KEYD_OP_SIGN_PROFILE] = {2048 * KIB, answer_sign_profile},
    [KEYD_OP_SIGN_OCSP] = {16 * KIB, answer_sign_ocsp},
    [KEYD_OP_SIGN_CRL] = {6144 * KIB, answer_sign_crl},
    [KEYD_OP_MAKE_REQUEST] = {4 * KIB, answer_make_request},
    [KEYD_OP_TLS_IDENTITIES] = {32 * KIB, answer_tls_identities},
    [KEYD_OP_SIGN_AUDIT] = {1 * KIB, answer_sign_audit},
    [KEYD_OP_VERIFY_AUDIT] = {1 * KIB, answer_verify_audit},
    [KEYD_OP_AUDIT_HEAD] = {0, answer_audit_head},
    [KEYD_OP_MAKE_RECIPIENT] = {1 * KIB, answer_make_recipient},
    [KEYD_OP_RECIPIENT_UNWRAP] = {8 * KIB, answer_recipient_unwrap},
    [KEYD_OP_SIGN_NEXT] = {0, answer_sign_next},
};

bool call_read(const struct call *call, struct err *err)
{
    return reader_done(&call->in) || err_set(err, ERR_BAD_INPUT, "malformed request");
}

static bool answer_with(struct call *call, uint8_t operation, size_t size, struct err *err)
{
    if (operation >= KEYD_OP_COUNT || !operations[operation].answer)
        return err_set(err, ERR_BAD_INPUT, "no such operation");
    if (size > operations[operation].limit)
        return err_set(err, ERR_TOO_LARGE, "request exceeds %zu bytes",
                       operations[operation].limit);
    struct bytes whole;
    return operations[operation].answer(call, err) && buffer_done(call->out, &whole, err);
}

void keyd_answer(struct vault *vault, int64_t now, const struct wire_head *head,
                 struct bytes payload, struct wire_head *reply, struct buffer *out)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct call call = {vault, scratch, now, reader_of(payload), out};
    struct err err;
    *reply = (struct wire_head){.operation = head->operation, .id = head->id};
    ERR_clear_error();
    if (answer_with(&call, head->operation, payload.size, &err))
        return;
    reply->status = (uint8_t)err.kind;
    bytes_wipe(out->data, out->size);
    buffer_clear(out);
    buffer_text(out, err.text);
}
