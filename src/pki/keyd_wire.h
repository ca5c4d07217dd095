/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs between keyd and its client: messages in frames over SOCK_SEQPACKET.
 *
 * A frame is {version u8, operation u8, flags u8, status u8, id u32} and a part of the payload; a
 * message is one frame or several with the same head, all but the last flagged MORE.  A payload is
 * a fixed list of fields: integers big endian, bytes and texts with a u32 length before them.
 */
#pragma once

#include "base/bytes.h"

#define WIRE_VERSION 1
#define WIRE_HEAD_SIZE 8
#define WIRE_FRAME_MAX ((size_t)64 << 10)  /* bytes with head; well below a default SO_SNDBUF */
#define WIRE_MESSAGE_MAX ((size_t)8 << 20) /* bytes of payload: a full CRL */
#define WIRE_FIELD_MAX ((size_t)64 << 10)  /* bytes of a field where nothing else is said */
#define WIRE_TIMEOUT_MS 10000              /* for one message in either direction */

enum keyd_operation {
    KEYD_OP_PING = 1,
    KEYD_OP_SEAL,
    KEYD_OP_OPEN,
    KEYD_OP_MAC,
    KEYD_OP_AUTHORITY,
    KEYD_OP_ISSUE,
    KEYD_OP_UNWRAP,
    KEYD_OP_SIGN_REPLY,
    KEYD_OP_SIGN_PROFILE,
    KEYD_OP_SIGN_OCSP,
    KEYD_OP_SIGN_CRL,
    KEYD_OP_MAKE_REQUEST,
    KEYD_OP_TLS_IDENTITIES,
    KEYD_OP_SIGN_AUDIT,
    KEYD_OP_VERIFY_AUDIT,
    KEYD_OP_AUDIT_HEAD,
    KEYD_OP_MAKE_RECIPIENT,
    KEYD_OP_RECIPIENT_UNWRAP,
    KEYD_OP_SIGN_NEXT,
    KEYD_OP_COUNT,
};

struct wire_head {
    uint8_t operation; /* enum keyd_operation */
    uint8_t status;    /* replies: 0 or enum err_kind; the payload is then the sentence */
    uint32_t id;       /* echoed by the reply */
};

/* ---- payload fields ---- */
void wire_u8(struct buffer *out, uint8_t value);
void wire_u32(struct buffer *out, uint32_t value);
void wire_i64(struct buffer *out, int64_t value);
void wire_bytes(struct buffer *out, struct bytes value);
void wire_text(struct buffer *out, const char *text);         /* NULL is sent as absent */
void wire_texts(struct buffer *out, const char *const *list); /* NULL-terminated, or NULL */
int64_t wire_get_i64(struct reader *in);
struct bytes wire_get_bytes(struct reader *in, size_t limit); /* borrows; too long = failed */
/* NULL when absent; a NUL or bad UTF-8 makes the reader fail. Belongs to owner. */
const char *wire_get_text(void *owner, struct reader *in, size_t limit);
const char *const *wire_get_texts(void *owner, struct reader *in, size_t count_limit, size_t limit);

/* ---- messages ---- */
/* ERR_UNAVAILABLE when the other side is gone or does not read. */
MUST_CHECK bool wire_send(int fd, const struct wire_head *head, struct bytes payload,
                          struct err *err);
/* Wait for one whole message; timeout_ms < 0 waits for ever for its first frame. The payload is
 * put into *payload (initialised by the caller, whose limit holds); the caller wipes it.
 * ERR_UNAVAILABLE: the other side is gone or too slow; ERR_BAD_INPUT, ERR_TOO_LARGE: the frames
 * make no message, *head is what could be read and the connection is still in step. */
MUST_CHECK bool wire_receive(int fd, int64_t timeout_ms, struct wire_head *head,
                             struct buffer *payload, struct err *err);
