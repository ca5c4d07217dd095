/* SPDX-License-Identifier: Apache-2.0 */
/* What a request must ask for, and how what it asks for differs. */
#pragma once

#include "pki/request.h"

struct expectation {
    struct name subject;              /* in this order, nothing more */
    struct alternatives alternatives; /* as a set */
    bool alternatives_may_be_absent;  /* for clients that cannot send them */
    unsigned key_usage;               /* 0: whatever was asked for is passed over */
    const char *const *purposes;      /* OIDs in digits, NULL-terminated, as a set */
    enum key_kind key;
    int bits_min, bits_max; /* RSA; 0: no limit beyond what is certified at all */
};

struct difference {               /* one line of "expected against asked" */
    const char *attribute;        /* "subject", "alternative names", "key usage", ... */
    const char *expected, *asked; /* for people; "none" when absent */
};
struct differences {
    const struct difference *items;
    size_t count;
};

/* Field by field: empty when the request is as expected. Key usage and extended key usage may be
 * absent (they come from the policy anyway) but not differ. Values are compared as UTF-8, whatever
 * string type they were written in. Belongs to owner. */
struct differences expectation_compare(void *owner, const struct expectation *expected,
                                       const struct certificate_request *asked);
