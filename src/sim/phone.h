/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated phone: model, enrolment, identity, installed profiles and the result that the
 * server has not taken yet.  Lives in a directory (state.json, PEM files, ledger.jsonl), or only
 * in memory for load runs.
 */
#pragma once

#include "sim/ledger.h"
#include "sim/model.h"
#include "sim/openssl.h"
#include "sim/profile.h"
#include "sim/web.h"

enum phone_status { PHONE_NEW, PHONE_ENROLLED, PHONE_UNENROLLED, PHONE_ERASED };

struct enrolment {
    int status; /* enum phone_status */
    char *server_url, *check_in_url, *topic, *push_magic, *push_url;
    char *token, *unlock_token; /* hex */
    char *mdm_identifier;       /* PayloadIdentifier of the enrolment profile */
    char *signer;               /* SHA-256 of the certificate that signed it */
    char *last_token_update;    /* base64 of the message, for replays */
    char *enrollment_id; /* of an account-driven enrolment; NULL: the whole phone is managed */
    char *account, *bearer;
    char *bootstrap_token; /* hex; of a Mac whose server keeps it; NULL: none */
    int64_t access_rights;
    bool check_out_when_removed, sign_message;
    bool awaits_configuration; /* it stays in its assistant until DeviceConfigured */
    bool is_fixed;             /* its user cannot remove management */
};

struct installed {
    char *identifier, *uuid, *name, *signer;
    char *plist; /* base64 of the verified content */
    char *user;  /* of a Mac, whose it is; NULL: the device's */
};

struct pending { /* uuid NULL: nothing waits */
    char *uuid, *request_type, *status;
    char *body;  /* base64 of the plist */
    bool leaves; /* the enrolment ends when the server has taken it */
};

struct declarative { /* of a phone that manages itself */
    bool is_on;
    bool is_due;    /* it was told that something changed */
    char *offered;  /* the tokens that came with that, as JSON, or NULL */
    char *token;    /* of what it has */
    char *reported; /* what the server knows of its status, as JSON */
};
struct fetched { /* one declaration */
    char *kind, *identifier, *token;
    char *text; /* as it came: JSON */
    /* of one that names a profile */
    char *profile;   /* PayloadIdentifier of what it installed; NULL: nothing */
    char *problem;   /* why it could not be installed; NULL: nothing was wrong */
    bool is_carried; /* nothing is left to do for it */
};

/* Called after each exchange with the server; for load runs. */
struct observer {
    void (*exchanged)(void *context, const char *message, int status, double seconds);
    void *context;
};

/* Where a renewal of the identity breaks off: the phone puts its old profile back. */
enum renewal_fault {
    RENEWAL_WORKS,
    RENEWAL_FAILS_CERTIFIED, /* it has the new certificate, and tells nobody */
    RENEWAL_FAILS_SHOWN,     /* after Authenticate */
    RENEWAL_FAILS_TOLD,      /* after TokenUpdate: as if its answer were lost */
};

struct phone {
    char *directory; /* NULL: only in memory */
    struct model model;
    struct enrolment enrolment;
    struct installed *profiles;
    size_t profile_count;
    struct declarative declarative;
    struct fetched *fetched;
    size_t fetched_count;
    struct pending pending;
    char *pending_memory; /* owner of its texts */
    EVP_PKEY *key;
    X509 *certificate;
    struct certificates *chain;     /* intermediates of the identity */
    struct certificates *authority; /* given on the command line; NULL: the system's */
    struct certificates *roots;     /* of the enrolment profile; NULL: none */
    struct certificates *trusted;   /* authority and the roots of all profiles, for TLS */
    struct web_options web_options;
    struct web *web;
    struct ledger *ledger;
    struct observer observer;
    const char *user;                 /* who speaks, of a Mac; NULL: the device. Of this process */
    enum renewal_fault renewal_fault; /* of this process alone */
    int lock;                         /* of the directory; one process at a time works on a phone */
};

/* A new phone with an empty model; directory NULL: only in memory. Belongs to owner. */
MUST_CHECK bool phone_make(void *owner, const char *directory, const struct certificates *authority,
                           const struct web_options *options, struct phone **out, struct err *err);
/* ERR_NOT_FOUND when the directory holds no phone. */
MUST_CHECK bool phone_load(void *owner, const char *directory, const struct web_options *options,
                           struct phone **out, struct err *err);
/* Trust these for TLS and for signers (NULL: the system's, and any signer on first use). */
MUST_CHECK bool phone_authority_set(struct phone *phone, const struct certificates *authority,
                                    struct err *err);
/* How long a request goes on trying, from now on. */
MUST_CHECK bool phone_patience_set(struct phone *phone, int seconds, struct err *err);
/* Write state.json; a phone in memory needs none. */
MUST_CHECK bool phone_save(struct phone *phone, struct err *err);
/* Model, enrolment, profiles, pending result. New reference. */
json_t *phone_to_json(const struct phone *phone);

/* Take this identity (NULL: forget it) and these further roots; files included. */
MUST_CHECK bool phone_identity_set(struct phone *phone, EVP_PKEY *key, X509 *certificate,
                                   const struct certificates *chain,
                                   const struct certificates *roots, struct err *err);
/* The result that waits for the server; replaces an older one. */
void phone_pending_put(struct phone *phone, const char *uuid, const char *request_type,
                       const char *status, struct bytes body);
void phone_pending_drop(struct phone *phone);
/* Everything that came by management goes: identity, profiles, pending result. */
MUST_CHECK bool phone_forget(struct phone *phone, enum phone_status status, struct err *err);

/* Profiles of whoever speaks (phone->user): the device and each person have their own. */
struct installed *phone_profile_find(struct phone *phone, const char *identifier);
void phone_profile_put(struct phone *phone, const struct profile *profile, struct bytes content,
                       const char *signer);
bool phone_profile_is_own(const struct phone *phone, const struct installed *profile);
void phone_profile_drop(struct phone *phone, struct installed *profile);
/* Profiles came or went: trust what those that are there bring, from now on. */
MUST_CHECK bool phone_trust_update(struct phone *phone, struct err *err);
/* The installed profile's tree. */
MUST_CHECK bool phone_profile_open(void *owner, const struct installed *installed,
                                   struct profile *out, struct err *err);
/* The strictest passcode rules of all installed profiles and active declarations. */
struct passcode_rules phone_passcode_rules(const struct phone *phone);
