/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that we issued, the challenges behind them and the steps of their making. */
#pragma once

#include "base/field.h"

enum certificate_state {
    CERTIFICATE_RESERVED,
    CERTIFICATE_ISSUED,
    CERTIFICATE_REVOKED,
    CERTIFICATE_HELD, /* revoked until its device is let in again */
};
extern const char *const certificate_state_names[];

struct certificate_record {
    char *id;
    char *enrolment_id, *challenge_id, *device_id, *device_name;
    char *purpose; /* "mdm-identity", "network" */
    int state;
    char *serial; /* lower-case hexadecimal */
    char *subject;
    struct bytes spki_sha256, sha256, der, request_sha256;
    int64_t not_before, not_after, created_at;
    int64_t seen_at; /* when the device first used it */
    int64_t revoked_at;
    int64_t renew_at;    /* when it is to be renewed (again); 0: nobody will */
    int64_t renew_tries; /* how often that was tried */
    char *reason;        /* of revocation_reason_names; NULL while it is good */
    int64_t list_part;   /* whose revocation list it names; 0: the one of all */
    int64_t authority;   /* number of the one that issued it */
};
extern const struct fields certificate_fields;

struct certificate_ending { /* good certificates that end within a time */
    char *month;            /* "2026-11", "ended", "later" */
    int64_t identities;     /* of devices: they renew themselves */
    int64_t unanswered;     /* of those: asked to, in vain */
    int64_t others;         /* of what is no device: whoever runs it renews them */
};
extern const struct fields certificate_ending_fields;

/* Reasons of a revocation, and their codes (RFC 5280 5.3.1); lists of equal length. */
extern const char *const revocation_reason_names[];
extern const int revocation_reason_codes[];
enum revocation_reason {
    REASON_UNSPECIFIED,
    REASON_KEY_COMPROMISE,
    REASON_AFFILIATION,
    REASON_SUPERSEDED,
    REASON_CESSATION,
    REASON_HOLD, /* of a blocked device: nobody gives it by hand */
};
/* The code of a stored name; 0 (unspecified) for NULL. */
int revocation_reason_code(const char *name);

enum challenge_state {
    CHALLENGE_DELIVERED,
    CHALLENGE_USED,
    CHALLENGE_BURNT, /* too many requests that differed from the expectation */
    CHALLENGE_EXPIRED,
    CHALLENGE_CANCELLED,
    CHALLENGE_WAITING,  /* asked for; a person has to decide */
    CHALLENGE_APPROVED, /* its certificate is issued when it is asked for again */
    CHALLENGE_DENIED,
};
extern const char *const challenge_state_names[];

struct challenge {
    char *id;
    char *enrolment_id; /* NULL: for something that is no device of ours */
    char *purpose;
    char *expectation; /* JSON: see fleet/issue.h */
    int state;
    int64_t tries, created_at, expires_at, used_at;
    struct bytes used_spki;
    char *used_transaction, *certificate_id;
    char *renews; /* the certificate that the one asked for is to replace; NULL: the first */
    char *subject, *created_by; /* without an enrolment: whom it is for, and who made it */
    bool needs_approval;
    struct bytes request_sha256; /* of the request that waits */
};
extern const struct fields challenge_fields;

/* A challenge as people see it: what was asked with it, and why it was refused the last time. */
struct certificate_request_record {
    char *id; /* the challenge's: its trace is found by it */
    char *enrolment_id, *device_id, *device_name;
    char *purpose;
    int state;
    int64_t tries, created_at, expires_at, used_at;
    char *certificate_id;
    int64_t refused_at;
    char *refusal; /* JSON object: reason, peer */
    char *subject, *created_by;
    bool needs_approval;
    int64_t decided_at;
    char *decided_by;
    char *link_name; /* of the enrolment link, for a device */
};
extern const struct fields certificate_request_fields;

/* The seven steps from a wish to a certificate on a device. */
enum certificate_step_number {
    STEP_PROFILE_MADE = 1, /* the enrolment profile with the wanted properties */
    STEP_RENDERED,         /* in the device's protocol, and handed out */
    STEP_REQUESTED,        /* the device asked */
    STEP_COMPARED,         /* asked against expected */
    STEP_CONFIRMED,        /* or refused */
    STEP_ISSUED,
    STEP_RECEIVED, /* the device used it */
};
extern const char *const certificate_step_titles[]; /* index = number */

struct certificate_step {
    int64_t step;
    char *title;
    char *outcome; /* "ok", "refused", "repeated" */
    char *detail;  /* JSON object */
    int64_t at;
};
extern const struct fields certificate_step_fields;
