/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to answers: a table of operations, each of which reads its fields whole or refuses. */
#pragma once

#include "keyd/vault.h"
#include "pki/keyd_wire.h"

struct call { /* one request being answered */
    struct vault *vault;
    void *owner; /* freed after the answer */
    int64_t now;
    struct reader in;
    struct buffer *out;
};

/* Answer any bytes whatever. On refusal the status in *reply is the kind and out the sentence. */
void keyd_answer(struct vault *vault, int64_t now, const struct wire_head *head,
                 struct bytes payload, struct wire_head *reply, struct buffer *out);

/* The request was read whole and has nothing behind it. */
MUST_CHECK bool call_read(const struct call *call, struct err *err);
/* The content key of an envelope to this RSA key becomes the answer; a wrong one gives a key that
 * opens nothing. ERR_BAD_INPUT: the sizes do not fit. */
MUST_CHECK bool call_unwrap(struct call *call, EVP_PKEY *key, uint32_t size, struct bytes encrypted,
                            struct err *err);

/* ---- the operations, one per row of the table ---- */
MUST_CHECK bool answer_ping(struct call *call, struct err *err);
MUST_CHECK bool answer_seal(struct call *call, struct err *err);
MUST_CHECK bool answer_open(struct call *call, struct err *err);
MUST_CHECK bool answer_mac(struct call *call, struct err *err);
MUST_CHECK bool answer_authority(struct call *call, struct err *err);
MUST_CHECK bool answer_issue(struct call *call, struct err *err);
MUST_CHECK bool answer_unwrap(struct call *call, struct err *err);
MUST_CHECK bool answer_sign_reply(struct call *call, struct err *err);
MUST_CHECK bool answer_sign_profile(struct call *call, struct err *err);
MUST_CHECK bool answer_sign_ocsp(struct call *call, struct err *err);
MUST_CHECK bool answer_sign_crl(struct call *call, struct err *err);
MUST_CHECK bool answer_make_request(struct call *call, struct err *err);
MUST_CHECK bool answer_tls_identities(struct call *call, struct err *err);
MUST_CHECK bool answer_sign_audit(struct call *call, struct err *err);
MUST_CHECK bool answer_verify_audit(struct call *call, struct err *err);
MUST_CHECK bool answer_audit_head(struct call *call, struct err *err);
MUST_CHECK bool answer_make_recipient(struct call *call, struct err *err);
MUST_CHECK bool answer_recipient_unwrap(struct call *call, struct err *err);
MUST_CHECK bool answer_sign_next(struct call *call, struct err *err);
