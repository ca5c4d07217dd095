/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated enrolment service of Apple: what its files share.  Its books (devices, profiles, what
 * changed) are JSON in memory; its token lies in a file that `enrolment-service token` writes.
 */
#pragma once

#include "codec/json.h"
#include "sim/service_http.h"

#define SERVICE_TOKEN_FILE "token.json"

struct service {
    const char *directory;
    json_t *devices;  /* records in the order in which they came */
    json_t *changes;  /* {"serial", "op_type", "op_date"} in order */
    json_t *profiles; /* by uuid */
    json_t *nonces;   /* of OAuth: each works once */
    json_t *scripts;  /* answers that tests asked for */
    json_t *calls;    /* what was asked: {"method", "path", "status"} */
    json_t *account;
    char *session;         /* NULL: none */
    int64_t session_calls; /* left to it; -1: no end */
    int64_t session_life;  /* calls of a session; 0: no end */
    bool rotates;          /* another session with each answer */
    int64_t page_size;
    int64_t generation; /* of cursors: older ones have expired */
    int64_t now;
};

/* Each fills out. */
void answer_json(const struct incoming *in, struct outgoing *out, int status, json_t *json);
void answer_word(struct outgoing *out, int status, const char *word);

/* service_auth.c: false, and answered, unless the request may pass. */
bool service_session_take(struct service *service, const struct incoming *in, struct outgoing *out);
bool service_session_check(struct service *service, const struct incoming *in,
                           struct outgoing *out);

/* service_books.c */
incoming_handle books_account, books_fetch, books_sync, books_define, books_assign, books_unassign,
    books_add, books_remove, books_activation;
