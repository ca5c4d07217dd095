/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to Apple's device enrolment service: its session, and what its refusals mean. */
#pragma once

#include "channel/apple/service_token.h"
#include "connect/http.h"

struct service_client;
struct service_client_settings {
    const char *url;     /* "https://mdmenrollment.apple.com" */
    const char *ca_file; /* NULL: the system's trust store */
};
MUST_CHECK bool service_client_open(void *owner, const struct service_client_settings *settings,
                                    struct service_client **out, struct err *err);

struct service_call {
    const char *method, *path;
    struct bytes body; /* data NULL: none */
    const struct apple_token *token;
    int64_t now;
};
struct service_reply {
    struct bytes body;   /* of a call that worked */
    char *word;          /* of one that did not: T_C_NOT_SIGNED, EXPIRED_CURSOR, ... */
    int status;          /* 0: no answer came */
    int64_t retry_after; /* seconds; 0: not told */
};
/* A session is made where there is none, and once more where the service knows it no more. False:
 * *err says why for people, reply->word and reply->retry_after what a program may act on. */
MUST_CHECK bool service_client_call(struct service_client *client, void *owner,
                                    const struct service_call *call, struct service_reply *reply,
                                    struct err *err);
/* The next call makes a new session: the token is another one. */
void service_client_forget(struct service_client *client);
