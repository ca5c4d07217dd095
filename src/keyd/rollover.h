/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one generation of the authority to the next, by steps that people take.  For the command
 * line, while no key process runs; each call becomes key_user when started as root.  A crash
 * anywhere leaves what was, or what was asked for; asking again is right in both cases.
 * ERR_CONFLICT from all of them: a key process runs.
 */
#pragma once

#include "keyd/keyd.h"
#include "pki/keyd.h"

struct rollover_row {
    int64_t number;
    enum authority_role role;
    int64_t since;
    char *root_sha256;
    int64_t root_not_after, issuing_not_after;
    bool certifies_tls;
};
struct rollover {
    struct rollover_row *rows; /* in the order of their numbers */
    size_t count;
};

MUST_CHECK bool keyd_rollover_list(void *owner, const struct keyd_options *options,
                                   struct rollover *out, struct err *err);
/* Make the next authority; *number is its. ERR_PRECONDITION: there is one already. */
MUST_CHECK bool keyd_rollover_prepare(const struct keyd_options *options, int64_t now,
                                      int64_t *number, struct err *err);
/* From now on the next one issues; the servers show what they showed. ERR_PRECONDITION: there is no
 * next one. */
MUST_CHECK bool keyd_rollover_switch(const struct keyd_options *options, int64_t now,
                                     int64_t *number, struct err *err);
/* From now on the current one certifies the servers. */
MUST_CHECK bool keyd_rollover_serve(const struct keyd_options *options, int64_t now,
                                    int64_t *number, struct err *err);
/* Out of use, its keys destroyed but the signer's of profiles: an earlier one, or the next one,
 * which nobody needs. ERR_PRECONDITION: the current one, or one that certifies the servers. */
MUST_CHECK bool keyd_rollover_retire(const struct keyd_options *options, int64_t number,
                                     int64_t now, struct err *err);
