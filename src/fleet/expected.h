/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what a certificate request must ask for, and how it differs. */
#pragma once

#include "fleet/alternatives.h"
#include "fleet/issue.h"

struct expected { /* out of the challenge's expectation */
    char *common_name, *organization, *san_uri;
    char *alternatives; /* "dns:a, ip:b": of what is no device of ours; NULL: a device */
    struct split_alternatives alternative; /* out of these */
    int64_t key_bits;
    int64_t key_usage; /* Apple's mask: 1 sign, 4 encrypt */
};
bool expected_is_network(const struct expected *expected);
MUST_CHECK bool expected_parse(void *owner, const char *json, struct expected *out,
                               struct err *err);
/*
 * *detail: {"attributes":[{"name","expected","asked","agrees"}]} as JSON; *agrees tells whether
 * all do. Key usage and EKU may be absent (the profile has no place for them); everything else
 * must be there, and nothing more.
 */
void expected_compare(void *owner, const struct expected *expected,
                      const struct certificate_asked *asked, bool *agrees, char **detail);
