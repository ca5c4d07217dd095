/* SPDX-License-Identifier: Apache-2.0 */
/* Names in certificates and requests, as plain text in UTF-8. */
#pragma once

#include "base/bytes.h"

struct name_part {    /* one attribute of a subject */
    const char *type; /* "CN", "O", "OU", "C", "emailAddress", ...; else the OID in digits */
    const char *value;
};
struct name {
    const struct name_part *parts; /* in the order of the encoding */
    size_t count;
};

enum alternative_kind {
    ALTERNATIVE_DNS = 1,
    ALTERNATIVE_EMAIL,
    ALTERNATIVE_URI,
    ALTERNATIVE_IP,  /* in text form */
    ALTERNATIVE_UPN, /* otherName 1.3.6.1.4.1.311.20.2.3 */
};
struct alternative {
    enum alternative_kind kind;
    const char *value;
};
struct alternatives {
    const struct alternative *items;
    size_t count;
};

#define NAME_PARTS_MAX 16        /* attributes of one subject */
#define NAME_VALUE_MAX 512       /* bytes of one value */
#define NAME_ALTERNATIVES_MAX 32 /* of one certificate or request */

/* "CN=phone 1, O=Example": for people; never parsed again. Belongs to owner. */
char *name_text(void *owner, const struct name *name);
/* The first value of a type, or NULL. */
const char *name_value(const struct name *name, const char *type);
/* Name ::= RDNSequence, DER. ERR_BAD_INPUT: several attributes in one RDN, a value that is not
 * text or holds a NUL, too many or too long ones. */
MUST_CHECK bool name_parse(void *owner, struct bytes der, struct name *out, struct err *err);
