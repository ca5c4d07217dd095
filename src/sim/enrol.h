/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment of a simulated phone: link, profile, SCEP, identity, Authenticate, TokenUpdate. */
#pragma once

#include "sim/account.h"
#include "sim/phone.h"
#include "sim/signed.h"

struct enrol_options {
    const char *link;           /* or NULL: */
    struct sign_in way;         /* url NULL: none */
    struct account_way account; /* host NULL: none */
    const char *token;          /* that the sign-in of an account ended with, or NULL */
    const char *keys;           /* directory of the key pool, or NULL */
    const char *push_url;       /* of the simulated APNs' control listener, or NULL */
    enum scep_misbehaviour misbehaviour;
    bool awaits;   /* the phone stays in its assistant until DeviceConfigured */
    bool is_fixed; /* its user cannot remove management */
};

/* report gets "link", "scep" and "messages" as far as it went. */
MUST_CHECK bool enrol_by_link(struct phone *phone, const struct enrol_options *options,
                              json_t *report, struct err *err);
/* With a profile that came another way. */
MUST_CHECK bool enrol_by_profile(struct phone *phone, const struct enrol_options *options,
                                 const struct signed_content *profile, json_t *report,
                                 struct err *err);
/* The enrolment profile once more (certificate renewal); everything is as before when it fails. */
MUST_CHECK bool enrol_again(struct phone *phone, const struct signed_content *profile,
                            struct err *err);
