/* SPDX-License-Identifier: Apache-2.0 */
/* People who administer, their tokens, and who did what. */
#pragma once

#include "base/field.h"

extern const char *const role_names[]; /* "administrator", "help_desk", "auditor", NULL */
enum role { ROLE_ADMINISTRATOR, ROLE_HELP_DESK, ROLE_AUDITOR };

struct account {
    char *id;
    char *name;
    int role;
    char *password_hash; /* argon2id */
    bool must_change;
    int64_t created_at, disabled_at;
};
extern const struct fields account_fields;

struct token { /* an API token or a session: a bearer secret of which we keep the HMAC */
    char *id;
    char *account_id, *account_name;
    char *kind; /* "session", "api" */
    char *name;
    int role;
    int64_t created_at, expires_at, revoked_at;
};
extern const struct fields token_fields;

struct audit_entry {
    char *id;
    int64_t position;
    char *actor_kind, *actor_id, *actor_name;
    char *action, *subject_kind, *subject_id;
    char *body; /* JSON: before and after, or what the act was about */
    char *reason;
    char *request_id;
    int64_t at;
    struct bytes hash;
};
extern const struct fields audit_fields;

struct event {
    char *id;
    int64_t position;
    char *kind; /* "device.enrolled", "compliance.changed", ... */
    char *device_id, *device_name;
    char *body;
    int64_t at;
};
extern const struct fields event_fields;

struct refusal { /* what was refused in an hour to one peer, counted */
    char *id;
    char *kind;    /* "certificate.refused", "sign_in.refused", ... */
    char *peer;    /* address, IPv6 /64, enrolment of a device, or "others" */
    char *subject; /* challenge or account, if it is ours; else empty */
    int64_t count, first_at, last_at;
    char *detail; /* JSON: of the last one */
};
extern const struct fields refusal_fields;
