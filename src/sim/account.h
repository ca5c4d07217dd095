/* SPDX-License-Identifier: Apache-2.0 */
/* Account-driven enrolment as the user of a phone starts it in Settings. */
#pragma once

#include "sim/phone.h"
#include "sim/way.h"

struct account_way {
    const char *host; /* "https://HOST:PORT": what serves the domain of the account; NULL: none */
    const char *account; /* what the user types */
    const struct sign_in *person;
    const char *authority; /* directory of who certifies devices; NULL: the phone does so itself */
};
/*
 * Discovery, the request that is sent to sign in, the web view, the request with its token: *out is
 * what that was answered, *token what later messages carry. report gets "account": what each step
 * was answered.
 */
MUST_CHECK bool account_follow(struct phone *phone, void *owner, const struct account_way *way,
                               json_t *report, struct web_reply *out, const char **token,
                               struct err *err);
