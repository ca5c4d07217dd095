/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of Apple devices: bytes to typed messages, commands to bytes.  Pure: no I/O, no
 * database.  A message is parsed whole or refused; keys that we do not name are ignored on
 * purpose, because devices send more with every release.
 */
#pragma once

#include "codec/plist.h"

#define CHECKIN_SIZE_MAX (1536 * 1024)     /* bytes: a status report in base64 is the largest */
#define CONNECT_SIZE_MAX (5 * 1024 * 1024) /* bytes: a ProfileList with its payloads */
#define MESSAGE_DEPTH_MAX 32
#define CHECKIN_NODES_MAX 1000
#define CONNECT_NODES_MAX 200000
#define ERROR_CHAIN_MAX 16 /* entries read; the rest says nothing new */

/* Who says it. The device channel when user_id is NULL. */
struct apple_sender {
    char *udid; /* opaque, case-sensitive; never NULL; the EnrollmentID where there is no UDID */
    bool is_of_account;               /* it is the EnrollmentID */
    char *user_id;                    /* of a user channel, whatever key named it */
    char *user_name, *user_full_name; /* NULL: not told */
    char *enrollment_id;              /* of an account-driven enrolment */
};

enum apple_checkin_kind {
    CHECKIN_AUTHENTICATE,
    CHECKIN_TOKEN_UPDATE,
    CHECKIN_CHECK_OUT,
    CHECKIN_USER_AUTHENTICATE,
    CHECKIN_DECLARATIVE,
    CHECKIN_SET_BOOTSTRAP_TOKEN,
    CHECKIN_GET_BOOTSTRAP_TOKEN,
    CHECKIN_UNSUPPORTED, /* known or not: we announced no capability for it */
};

struct apple_authenticate {
    char *topic;
    char *device_name, *model, *model_name, *product_name, *serial_number;
    char *os_version, *build_version;
};
struct apple_token_update {
    char *topic, *push_magic;
    struct bytes token, unlock_token;
    bool off_console; /* of a user channel: somebody else has the screen */
    bool awaits;      /* the device waits in its assistant for DeviceConfigured */
};
struct apple_declarative {
    char *endpoint;
    struct bytes data; /* JSON; data NULL: none */
};
struct apple_checkin {
    enum apple_checkin_kind kind;
    char *message_type;
    struct apple_sender sender;
    struct apple_authenticate authenticate; /* of its kind, else zero */
    struct apple_token_update token_update;
    struct apple_declarative declarative;
    bool has_digest_response;     /* of UserAuthenticate: the second one */
    struct bytes bootstrap_token; /* empty: the device has none any more */
};
/* The body of a PUT to the check-in URL. Everything belongs to owner. */
MUST_CHECK bool apple_checkin_parse(void *owner, struct bytes body, struct apple_checkin *out,
                                    struct err *err);

enum apple_status {
    APPLE_IDLE,
    APPLE_ACKNOWLEDGED,
    APPLE_ERROR,
    APPLE_COMMAND_FORMAT_ERROR,
    APPLE_NOT_NOW,
    APPLE_UNKNOWN, /* a status of a later release, or an answer without its command */
};
extern const char *const apple_status_names[];

struct apple_error { /* of an ErrorChain, outermost first */
    int64_t code;
    char *domain;
    char *description; /* in English where the device has it */
};
struct apple_result {
    enum apple_status status;
    char *status_text;
    struct apple_sender sender;
    char *command_uuid; /* NULL with APPLE_IDLE; may be with APPLE_UNKNOWN */
    const struct apple_error *errors;
    size_t error_count;
    const struct plist *answer; /* the whole dictionary */
};
/* The body of a PUT to the server URL. Everything belongs to owner. */
MUST_CHECK bool apple_result_parse(void *owner, struct bytes body, struct apple_result *out,
                                   struct err *err);
/* The same for a message that is cheap to read, whatever is in it: false for all others. */
bool apple_result_small(void *owner, struct bytes body, struct apple_result *out);
#define SMALL_SIZE_MAX 2048 /* bytes, also after expansion */
#define SMALL_DEPTH_MAX 3
#define SMALL_NODES_MAX 32

/* The request dictionary of a command: its type is set, the rest is the caller's. */
struct plist *apple_command_new(void *owner, const char *uuid, const char *request_type,
                                struct plist **command);
