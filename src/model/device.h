/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, their enrolments and the links that let them in. */
#pragma once

#include "base/field.h"

extern const char *const ownership_names[]; /* "company", "personal", NULL */
/* UNSAID in wishes alone */
enum ownership { OWNERSHIP_UNSAID = -1, OWNERSHIP_COMPANY, OWNERSHIP_PERSONAL };
extern const char *const enrolment_mode_names[]; /* "device", "account", NULL */
enum enrolment_mode {
    MODE_DEVICE,  /* the whole device */
    MODE_ACCOUNT, /* what belongs to a managed account on a personal device, and no more */
};

struct device {
    char *id;
    char *name;
    int platform; /* enum platform */
    char *model, *product, *serial, *udid, *os_version, *os_build;
    int ownership;
    bool is_supervised;
    int64_t created_at;
    char *user_id, *user_name; /* who carries it; NULL: nobody is noted */
    /* what lists show beside it; read only */
    int enrolment_state; /* enum enrolment_state of the current enrolment */
    int enrolment_mode;  /* enum enrolment_mode of it */
    char *compliance;    /* state name, or NULL: it left management */
    int64_t last_contact_at;
    int64_t bootstrap_token_at; /* when a Mac left its bootstrap token here; 0: it did not */
    char *shut_out; /* why it is refused at every contact: "certificate_revoked"; NULL: it is not */
};
extern const struct fields device_fields;

enum enrolment_state {
    ENROLMENT_PENDING,     /* the profile was handed out */
    ENROLMENT_ACTIVE,      /* the device can be reached */
    ENROLMENT_BLOCKED,     /* known, enrolled, and refused */
    ENROLMENT_RETIRING,    /* to leave: only its removal is delivered */
    ENROLMENT_RETIRED,     /* left because we asked */
    ENROLMENT_CHECKED_OUT, /* left by itself */
    ENROLMENT_SUPERSEDED,  /* the device enrolled again */
    ENROLMENT_WIPING,      /* only the erasure is delivered */
    ENROLMENT_WIPED,
    ENROLMENT_RETIRED_UNCONFIRMED, /* silent since it was asked to leave */
    ENROLMENT_WIPED_UNCONFIRMED,
};
extern const char *const enrolment_state_names[];

struct enrolment {
    char *id;
    char *device_id; /* NULL until the device says who it is */
    char *link_id;
    char *channel;
    int state;
    char *topic;
    struct bytes push_token, push_magic, unlock_token; /* sealed by keyd */
    bool takes_users; /* people of the device have channels of their own; never changes */
    struct bytes push_token_before, push_magic_before; /* that the device told before these */
    int64_t push_at;                                   /* when it told us its address */
    int64_t push_dead_at, created_at, enrolled_at, ended_at, last_contact_at;
};
extern const struct fields enrolment_fields;

struct enrolment_link {
    char *id;
    char *name;
    int ownership;
    char *device_id;     /* the one device that may use it; NULL: one that is not enrolled */
    int mode;            /* enum enrolment_mode */
    char *user_id;       /* the person who signed in for it; NULL: nobody did */
    char *apple_account; /* of that person */
    int64_t created_at;
    char *created_by;
    int64_t expires_at, used_at, revoked_at;
};
extern const struct fields enrolment_link_fields;
