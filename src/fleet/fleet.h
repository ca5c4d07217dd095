/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The use cases.  Every transaction starts in this folder; rooms, the API and jobs call it and see
 * no SQL.  A `struct fleet` belongs to one thread; what threads share is behind fleet_shared.
 */
#pragma once

#include "base/field.h"

struct db;
struct database;
struct keyd;
struct fleet_shared;

struct fleet_settings {     /* texts outlive the shared part */
    const char *front_url;  /* "https://mdm.example.org:8443": links, console, API */
    const char *device_url; /* "https://mdm.example.org:8444" */
    const char *plain_url;  /* "http://mdm.example.org:8080": SCEP, CRL, OCSP */
    const char
        *device_ca_file; /* PEM: who certifies devices that enrol by themselves; may be NULL */
    const char *attestation_ca_file; /* PEM: whose hardware attests; NULL or "": nobody is asked */
    bool front_is_own;               /* the front's certificate is of this authority */
    int64_t link_seconds;            /* life of an enrolment link */
    int64_t challenge_seconds;       /* life of a challenge */
    int64_t certificate_seconds;     /* life of a device certificate */
    int64_t revocation_parts;        /* revocation lists for new certificates; 0, 1: that of all */
    int64_t delta_seconds;           /* how long a list of changes holds; 0: there is none */
    int64_t renew_percent;           /* of that life, the last ones, in which it may be renewed */
    int64_t rollover_seconds;        /* in which devices go to the next authority */
    int64_t session_seconds;
    bool signed_messages;   /* devices sign each message, too: for a proxy that ends their TLS */
    bool declared_profiles; /* devices that can fetch profiles by themselves, by declaration */
    bool legacy_algorithms; /* SHA-1 and 3DES are taken at the door of network gear */
    bool network_users;     /* accounts of a directory on a Mac are managed, too */
    int self_ownership;     /* of devices whose people sign in: enum ownership; -1: they choose */
    int64_t confirmation_seconds; /* what destroys needs a second yes after this long; 0 = never */
    int64_t evidence_seconds; /* how long what a device reported makes it compliant; 0 = for ever */
    int64_t integrity_seconds; /* the same of evidence for its integrity */
    struct retention {         /* seconds that things are kept when they are over; 0 = for ever */
        int64_t event_seconds;
        int64_t command_seconds;
        int64_t attempt_seconds; /* enrolments that were never completed, and unused links */
        int64_t token_seconds;   /* sessions and API tokens */
        int64_t position_seconds;
    } retention;
};

struct fleet {
    struct db *db;
    struct keyd *keyd;
    struct fleet_shared *shared;
    const struct fleet_settings *settings;
};

/* One per process; threads share it. */
struct fleet_shared *fleet_shared_make(void *owner, const struct fleet_settings *wishes);
/* One per thread. database and keyd must outlive it. */
MUST_CHECK bool fleet_open(void *owner, struct database *database, struct keyd *keyd,
                           struct fleet_shared *shared, struct fleet **out, struct err *err);
/* One for any thread, without a database: good for what asks memory alone and says so. */
struct fleet *fleet_of_memory(void *owner, struct fleet_shared *shared);
/* Nothing that was read before now may be believed: another process may have changed it. */
void fleet_forget_all(struct fleet_shared *shared);
/* At each start: check every statement, make the organisation on the first one. ERR_* of the store.
 */
MUST_CHECK bool fleet_first_start(struct fleet *fleet, const char *organization, int64_t now,
                                  struct err *err);
/* Whether devices and people can reach this process; yes until somebody says no. */
void fleet_reachable_set(struct fleet_shared *shared, bool is_reachable);
/* One request was refused because too many waited; since the process began. Any thread. */
enum fleet_shed { SHED_ORDINARY, SHED_PATIENT, SHED_URGENT };
#define FLEET_SHEDS 3
void fleet_shed_note(struct fleet_shared *shared, enum fleet_shed which);
/* Database and keyd answer, and we can be reached. */
MUST_CHECK bool fleet_ready(struct fleet *fleet, struct err *err);

/* Who acts: every mutation takes one. */
enum actor_kind { ACTOR_SYSTEM, ACTOR_ACCOUNT, ACTOR_DEVICE, ACTOR_PUBLIC, ACTOR_USER };
struct actor {
    enum actor_kind kind;
    const char *id;   /* account, user, device or enrolment; "system" */
    const char *name; /* as it is now: kept in the audit */
    int role;         /* enum role, of accounts */
    const char *token_id;
    const char *reason; /* may be NULL */
    const char *request_id;
    int64_t now; /* seconds UTC */
};
struct actor fleet_system_actor(int64_t now);
/* Somebody who has not said who it is. peer: an address, NULL when there is none. */
struct actor fleet_public_actor(const char *peer, const char *request_id, int64_t now);

/* Has the actor this permission ("device.wipe")? An unknown name is a bug. */
bool fleet_may(const struct actor *actor, const char *permission);
/* ERR_FORBIDDEN naming the permission. */
MUST_CHECK bool fleet_need(const struct actor *actor, const char *permission, struct err *err);

/* Lists: newest first or by name, `limit` rows after an opaque cursor. */
#define LIST_LIMIT 50 /* rows where the caller names none */
#define LIST_LIMIT_MAX 1000
struct page {
    int64_t limit;      /* 1..LIST_LIMIT_MAX */
    const char *cursor; /* NULL = from the start */
};
struct list { /* structs of the entity asked for, in order */
    void *items;
    size_t count;
    const char *next; /* cursor of the next page; NULL = this was the last */
};
