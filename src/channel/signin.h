/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sign-in page: a person signs in, chooses a password, agrees to the terms, says whose the
 * device is, and is given what a room hands out.  One address per way; the page that is shown is
 * the step that is due.  A form is good only together with the cookie that it was made for.
 */
#pragma once

#include "fleet/visit.h"
#include "http/http.h"

struct way {
    const char *name;         /* "profile" */
    const char *path;         /* of the page, and of its forms */
    const char *cookie;       /* "__Host-muster-..." */
    const char *scheme;       /* where the last answer may lead beside https ("x:"), or NULL */
    const char *button;       /* of the last page */
    const char *hint;         /* query parameter with the name that was typed before, or NULL */
    enum enrolment_mode mode; /* what is managed then */
    int ownership;            /* enum ownership of all that come in; -1: as the settings say */
    /* The end: answer with what the device is given. ERR_CONFLICT: used meanwhile. */
    bool (*hand_out)(struct request *request, const struct visit *visit, struct reply *reply,
                     struct err *err);
};
MUST_CHECK bool signin_show(struct request *request, const struct way *way, struct reply *reply,
                            struct err *err);
MUST_CHECK bool signin_post(struct request *request, const struct way *way, struct reply *reply,
                            struct err *err);
/* How errors leave these pages. */
void signin_error(const struct request *request, const struct err *err, struct reply *reply);
