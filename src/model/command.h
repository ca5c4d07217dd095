/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: one-shot acts, neutral here, rendered by a room when the device calls. */
#pragma once

#include "base/field.h"

/* What can be asked of a device; a room says which it can carry. */
enum command_kind {
    COMMAND_INSTALL_ITEM, /* bring one item of the effective set to the device */
    COMMAND_REMOVE_ITEM,
    COMMAND_QUERY_DEVICE,   /* who are you */
    COMMAND_QUERY_SECURITY, /* how safe are you */
    COMMAND_QUERY_ITEMS,    /* which items do you have: reads back what was delivered */
    COMMAND_LOCK,
    COMMAND_WIPE,
    COMMAND_RETIRE,
    COMMAND_RESTART,
    COMMAND_SYNC,           /* all queries */
    COMMAND_RENEW_IDENTITY, /* another certificate, before the one in use ends */
    COMMAND_CLEAR_PASSCODE,
    COMMAND_SHUT_DOWN,
    COMMAND_RENAME,
    COMMAND_ENABLE_LOST_MODE, /* locked until it is found; a message on its screen */
    COMMAND_DISABLE_LOST_MODE,
    COMMAND_PLAY_SOUND,   /* of a device in lost mode */
    COMMAND_LOCATE,       /* the same */
    COMMAND_FINISH_SETUP, /* the assistant of a new device may go on */
    COMMAND_ATTEST,       /* let your hardware say who you are */
    COMMAND_QUERY_APPS,
    COMMAND_QUERY_MANAGED_APPS,
    COMMAND_QUERY_CERTIFICATES,
    COMMAND_QUERY_BYPASS_CODE, /* what opens the activation lock of the device */
    COMMAND_DECLARE,           /* look what was declared for you */
};
extern const char *const command_kind_names[];
/* What people may ask, from COMMAND_ASKED_FIRST on; all else is the server's own work. */
#define COMMAND_ASKED_FIRST COMMAND_LOCK
extern const char *const command_asked_names[];

/* Bytes of what a locked device shows, and of what it may be called. */
#define COMMAND_MESSAGE_LONGEST 500
#define COMMAND_PHONE_LONGEST 50
#define COMMAND_NAME_LONGEST 63

/* The words that every surface uses (one vocabulary). */
enum command_state {
    COMMAND_QUEUED,
    COMMAND_SENT,      /* the push service took the wake-up */
    COMMAND_DELIVERED, /* the device fetched it */
    COMMAND_APPLIED,   /* the device said yes */
    COMMAND_VERIFIED,  /* read back */
    COMMAND_FAILED,
    COMMAND_CANCELLED,
    COMMAND_SUPERSEDED,
    COMMAND_EXPIRED,
    COMMAND_AWAITING_CONFIRMATION, /* it waited for long: somebody has to say yes once more */
};
extern const char *const command_state_names[];

struct command {
    char *id; /* also the UUID on the wire */
    char *enrolment_id, *device_id, *device_name;
    char *user; /* whose channel of the device it is for; NULL: of the device itself */
    int kind;
    char *item;       /* of install and remove */
    char *parameters; /* JSON, by kind; NULL. Sealed in the database: may hold a PIN */
    int state;
    int64_t priority; /* lower goes first */
    bool is_deferred; /* the device said: not now */
    int64_t put_off;  /* how often in a row it said so */
    int64_t attempts;
    char *reason, *remedy; /* of a failure */
    char *created_by;
    int64_t created_at, sent_at, delivered_at, finished_at, expires_at;
    int64_t confirmed_at; /* the second yes; 0 = none was needed or given */
};
extern const struct fields command_fields;

/* How an item gets to a device: brought by commands, declared and fetched by the device itself, or
 * brought to the channel of each of its people. */
enum carrier { CARRIER_COMMAND, CARRIER_DECLARATION, CARRIER_USER_CHANNEL };
extern const char *const carrier_names[];

/* What is known of one item of the effective set on one enrolment. */
struct delivered {
    char *enrolment_id, *item;
    int carrier;       /* enum carrier */
    char *hash;        /* what the device has; "" = nothing */
    char *wanted_hash; /* what it should have; NULL = nothing */
    int state;         /* enum command_state */
    char *reason, *remedy;
    int64_t losses; /* how often in a row the device took it and then had it not */
    int64_t changed_at;
    char *user; /* whose channel it goes to; NULL: of the device, or of people who are not there */
};
extern const struct fields delivered_fields;
