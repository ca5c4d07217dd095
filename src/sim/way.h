/* SPDX-License-Identifier: Apache-2.0 */
/* A person with a browser at a sign-in page: reads each page, fills its form, and sends it. */
#pragma once

#include "codec/json.h"
#include "sim/web.h"

struct sign_in {
    const char *url, *user, *password;
    const char *new_password; /* what is chosen when a page asks; NULL: nothing */
    const char *ownership;    /* what is ticked where it is asked; NULL: "personal" */
};

/* Until something that is no page is answered (*out), at the address where the last form went.
 * report gets "pages": their titles. ERR_FORBIDDEN: a page said no, with its words. */
MUST_CHECK bool sign_in_follow(struct web *web, void *owner, const struct sign_in *person,
                               json_t *report, struct web_reply *out, struct err *err);
