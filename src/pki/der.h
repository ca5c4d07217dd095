/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DER as tag, length and value: enough to look at a structure before OpenSSL's decoders see it,
 * and to write the few structures that OpenSSL cannot build without holding the key.
 * Meaning (times, names, keys) is left to OpenSSL.
 */
#pragma once

#include "base/bytes.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0_PRIMITIVE = 0x80,
    DER_CONTEXT_0 = 0xa0,
    DER_CONTEXT_1 = 0xa1,
    DER_CONTEXT_3 = 0xa3,
};

struct der_element {
    uint8_t tag;
    struct bytes content;
    struct bytes whole; /* with tag and length */
};

/* ---- reading: definite lengths, low tag numbers; anything else makes the reader fail ---- */

struct der_element der_next(struct reader *in);
/* The content of the next element, which must have this tag. */
struct bytes der_take(struct reader *in, uint8_t tag);
bool der_peek(const struct reader *in, uint8_t tag); /* false at the end */
void der_refuse(struct reader *in);                  /* make the reader fail */
/* The bytes are one element with nothing behind it. */
bool der_is_whole(struct bytes in);

/* BER as some clients write it (indefinite lengths, octet strings in pieces) to definite lengths
 * and whole octet strings; DER comes out unchanged. Belongs to owner. ERR_BAD_INPUT when it is not
 * exactly one element, is nested deeper than 24 or holds more than 4096 elements. */
MUST_CHECK bool der_normalise(void *owner, struct bytes in, struct bytes *out, struct err *err);

/* ---- writing: the results belong to owner ---- */

struct bytes der_make(void *owner, uint8_t tag, const struct bytes *parts, size_t count);
#define DER_MAKE(owner, tag, ...)                                                                  \
    der_make(owner, tag, (const struct bytes[]){__VA_ARGS__},                                      \
             sizeof((const struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes))
/* SET OF: the parts sorted as DER wants them (X.690 11.6). Sorts `parts` in place. */
struct bytes der_make_set(void *owner, uint8_t tag, struct bytes *parts, size_t count);
